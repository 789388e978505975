//! Reasons for which a repository could not be fetched.

use std::io;

/// Reason for which a repository could not be fetched. Each message is safe to display and includes a remedy.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no repository at this address.
    #[error("there is no Git repository at {0}: check the address, and that it was not renamed or deleted")]
    NotFound(String),
    /// The repository is not open to us.
    #[error(
        "{0} needs credentials, or does not exist: give this machine's MikroCloud user access, by a deploy key for ssh or a credential helper for https"
    )]
    Denied(String),
    /// The server could be another one than it was.
    #[error(
        "the server of {0} shows another host key than the known one, or an unknown one where strict checking is asked for: compare it with what its operator publishes, then put it right in the `known_hosts` of MikroCloud's user (`ssh-keygen -R HOST` forgets the old one)"
    )]
    HostKey(String),
    /// The server does not answer.
    #[error("the server of {0} does not answer: check the host name and that this machine can reach it")]
    Unreachable(String),
    /// The branch, tag or commit does not exist.
    #[error("{repository} has no branch, tag or commit `{reference}`: check its name, and that it was pushed")]
    ReferenceNotFound {
        /// The repository.
        repository: String,
        /// Reference that was requested.
        reference: String,
    },
    /// The short commit id fits several commits.
    #[error("`{0}` is the beginning of several commit ids: give more of it")]
    Ambiguous(String),
    /// There is nothing in it.
    #[error("{0} holds no file: push a commit with the project's files, or name the branch that has them")]
    Empty(String),
    /// Its files are kept elsewhere.
    #[error(
        "`{0}` uses Git LFS, which is not supported: commit the files themselves (`git lfs migrate export`), or fetch them in the build"
    )]
    Lfs(String),
    /// It is too large.
    #[error("the repository is larger than {} MiB: take large files out of it, or raise the limit", limit_bytes >> 20)]
    TooLarge {
        /// The limit, bytes.
        limit_bytes: u64,
    },
    /// It took too long.
    #[error("fetching the repository took longer than {seconds} seconds: try again, or make the repository smaller")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
    /// It was cancelled.
    #[error("fetching was cancelled")]
    Cancelled,
    /// The program is not there.
    #[error("the program `git` is not installed on this machine: install it (on Debian: apt install git)")]
    GitMissing,
    /// Git said no, in words we do not know.
    #[error("git could not fetch the repository: {0}")]
    Failed(String),
    /// This machine's disk.
    #[error("the fetched files could not be written: {0}")]
    Io(#[source] io::Error),
}

impl SourceError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "SOURCE_NOT_FOUND",
            Self::Denied(_) => "SOURCE_DENIED",
            Self::HostKey(_) => "SOURCE_HOST_KEY",
            Self::Unreachable(_) => "SOURCE_UNREACHABLE",
            Self::ReferenceNotFound { .. } | Self::Ambiguous(_) => "REFERENCE_NOT_FOUND",
            Self::Empty(_) => "SOURCE_EMPTY",
            Self::Lfs(_) => "SOURCE_LFS",
            Self::TooLarge { .. } => "SOURCE_TOO_LARGE",
            Self::Timeout { .. } => "SOURCE_TIMEOUT",
            Self::Cancelled => "SOURCE_CANCELLED",
            Self::GitMissing => "GIT_MISSING",
            Self::Failed(_) => "SOURCE_FAILED",
            Self::Io(_) => "SOURCE_IO",
        }
    }

    /// Returns true if a retry can succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Timeout { .. } | Self::Io(_))
    }

    pub(super) fn io(error: io::Error) -> Self {
        Self::Io(error)
    }

    /// Converts Git's messages, in its C locale, into the error for this repository.
    pub(super) fn from_git(repository: &str, stderr: &str) -> Self {
        let says = |parts: &[&str]| parts.iter().any(|part| stderr.contains(part));
        let name = shown(repository);
        if says(&[
            "Could not resolve host",
            "Connection refused",
            "Connection timed out",
            "Failed to connect",
            "No route to host",
        ]) {
            Self::Unreachable(name)
        } else if says(&["Host key verification failed"]) {
            Self::HostKey(name)
        } else if says(&["Authentication failed", "could not read Username", "could not read Password", "Permission denied"])
            || says(&["error: 403", "error: 401", "Too many authentication failures"])
        {
            Self::Denied(name)
        } else if says(&["Repository not found", "does not appear to be a git repository", "' not found", "does not exist"])
            || says(&["error: 404", "no such repository", "Not Found"])
        {
            Self::NotFound(name)
        } else {
            Self::Failed(last_words(stderr))
        }
    }
}

/// The line that tells most: the last `fatal:` or `error:`, else the last one.
fn last_words(stderr: &str) -> String {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().rfind(|line| line.starts_with("fatal:") || line.starts_with("error:")).or_else(|| lines().next_back());
    let words: String = line.unwrap_or("it said nothing").chars().filter(|c| !c.is_control()).take(300).collect();
    words.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}

/// An address without what stands before the `@` of its host: tokens are given there.
pub(super) fn shown(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_becomes_a_code() {
        let table = [
            ("fatal: repository 'https://x/y/' not found", "SOURCE_NOT_FOUND"),
            ("ERROR: Repository not found.\nfatal: Could not read from remote repository.", "SOURCE_NOT_FOUND"),
            ("fatal: '/x' does not appear to be a git repository", "SOURCE_NOT_FOUND"),
            ("fatal: could not read Username for 'https://x': terminal prompts disabled", "SOURCE_DENIED"),
            ("remote: Invalid.\nfatal: Authentication failed for 'https://x/'", "SOURCE_DENIED"),
            ("git@x: Permission denied (publickey).", "SOURCE_DENIED"),
            ("Host key verification failed.\nfatal: Could not read from remote repository.", "SOURCE_HOST_KEY"),
            ("fatal: unable to access 'https://x/': Could not resolve host: x", "SOURCE_UNREACHABLE"),
            ("ssh: connect to host x port 22: Connection refused", "SOURCE_UNREACHABLE"),
            ("fatal: something new", "SOURCE_FAILED"),
            ("", "SOURCE_FAILED"),
        ];
        for (stderr, code) in table {
            assert_eq!(SourceError::from_git("https://x/y", stderr).code(), code, "{stderr}");
        }
    }

    #[test]
    fn no_credentials_are_shown() {
        assert_eq!(shown("https://token@example.org/a@b"), "https://example.org/a@b");
        assert_eq!(shown("https://user:to@ken@example.org/a"), "https://example.org/a");
        assert_eq!(shown("git@example.org:a"), "git@example.org:a");
        let error = SourceError::from_git("https://token@example.org", "fatal: odd thing at 'https://token@example.org/x'");
        assert!(!error.to_string().contains("token"), "{error}");
        assert!(error.to_string().contains("example.org/x"), "{error}");
    }
}
