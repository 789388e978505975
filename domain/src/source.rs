//! Source of a deployment's files.

use serde::{Deserialize, Serialize};

use crate::artifact::Digest;

/// Source from which a deployment is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A Git repository.
    Git {
        /// Address of the repository.
        repository: Repository,
        /// Branch, tag or commit; the repository's default branch when absent.
        reference: Option<Reference>,
        /// Directory of the project within the repository, where one was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directory: Option<Directory>,
    },
    /// A directory that a client uploaded, as the digest of its archive.
    Upload {
        /// SHA-256 of the archive.
        digest: Digest,
        /// Directory of the project within the archive, where one was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directory: Option<Directory>,
    },
}

impl Source {
    /// Directory of the project within the source, where one was asked for.
    pub fn directory(&self) -> Option<&Directory> {
        match self {
            Self::Git { directory, .. } | Self::Upload { directory, .. } => directory.as_ref(),
        }
    }
}

/// A directory within a source, such as `apps/web`. It never leads out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Directory(String);

impl Directory {
    /// The path, relative to the source's directory.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Directory {
    type Err = SourceError;
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let path: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let is_plain = !text.starts_with('/')
            && text.len() <= 1000
            && !path.is_empty()
            && !path.contains(&"..")
            && !text.contains(char::is_control);
        if is_plain { Ok(Self(path.join("/"))) } else { Err(SourceError::Directory(text.chars().take(200).collect())) }
    }
}

impl TryFrom<String> for Directory {
    type Error = SourceError;
    fn try_from(text: String) -> Result<Self, SourceError> {
        text.parse()
    }
}

impl From<Directory> for String {
    fn from(directory: Directory) -> Self {
        directory.0
    }
}

/// Reason for which a repository, reference or directory is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not a form of address that is fetched from.
    #[error("`{0}` is no repository address: use https://..., ssh://..., git@host:path, or an absolute path on this machine")]
    Repository(String),
    /// A password in the address would end up in logs.
    #[error("the repository address holds a password: take it out and give access by a deploy key or a credential helper")]
    Credentials,
    /// Not a name that Git gives branches, tags or commits.
    #[error("`{0}` is no branch, tag or commit: see `git check-ref-format` for what a name may hold")]
    Reference(String),
    /// Not a directory inside of the source.
    #[error("`{0}` is no directory inside of the source: give a path such as apps/web, without `..` and not absolute")]
    Directory(String),
}

/// The address of a Git repository. It never starts with `-` and never names a transport that runs commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repository(String);

impl Repository {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path, when the repository is on this machine.
    pub fn local_path(&self) -> Option<&str> {
        self.0.strip_prefix("file://").or_else(|| self.0.starts_with('/').then_some(self.0.as_str()))
    }
}

impl std::str::FromStr for Repository {
    type Err = SourceError;
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let refused = || SourceError::Repository(text.chars().take(200).collect());
        if text.is_empty() || text.len() > 2000 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(refused());
        }
        if text.starts_with('/') {
            return Ok(Self(text.to_owned()));
        }
        if let Ok(url) = url::Url::parse(text) {
            if url.password().is_some() {
                return Err(SourceError::Credentials);
            }
            let host = url.host_str().unwrap_or_default();
            let remote = matches!(url.scheme(), "https" | "http" | "ssh") && !host.is_empty() && !host.starts_with('-');
            let local = url.scheme() == "file" && host.is_empty();
            let user = url.username();
            return if (remote || local) && !user.starts_with('-') { Ok(Self(text.to_owned())) } else { Err(refused()) };
        }
        // The short form of ssh: user@host:path.
        let plain = |part: &str| {
            !part.is_empty()
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        match text.split_once('@').and_then(|(user, rest)| rest.split_once(':').map(|(host, path)| (user, host, path))) {
            Some((user, host, path)) if plain(user) && plain(host) && !path.is_empty() && !path.starts_with(['-', ':']) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(refused()),
        }
    }
}

impl TryFrom<String> for Repository {
    type Error = SourceError;
    fn try_from(text: String) -> Result<Self, SourceError> {
        text.parse()
    }
}

impl From<Repository> for String {
    fn from(repository: Repository) -> Self {
        repository.0
    }
}

/// A branch, a tag or a commit. It never starts with `-`, so that no program takes it for an option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

impl Reference {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if it is a whole commit id (SHA-1 or SHA-256).
    pub fn is_commit(&self) -> bool {
        matches!(self.0.len(), 40 | 64) && self.0.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

impl std::str::FromStr for Reference {
    type Err = SourceError;
    fn from_str(text: &str) -> Result<Self, SourceError> {
        // The rules of git-check-ref-format(1).
        let bad = text.is_empty()
            || text.len() > 250
            || text.starts_with(['-', '/', '.'])
            || text.ends_with(['/', '.'])
            || text.strip_suffix(".lock").is_some()
            || text == "@"
            || ["..", "//", "@{", "/."].iter().any(|part| text.contains(part))
            || text.chars().any(|c| c.is_control() || " ~^:?*[\\".contains(c));
        if bad { Err(SourceError::Reference(text.chars().take(200).collect())) } else { Ok(Self(text.to_owned())) }
    }
}

impl TryFrom<String> for Reference {
    type Error = SourceError;
    fn try_from(text: String) -> Result<Self, SourceError> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_usual_addresses_stand() {
        for text in [
            "https://example.org/team/shop.git",
            "https://user@example.org/shop",
            "ssh://git@example.org:2222/shop.git",
            "git@example.org:team/shop.git",
            "/srv/git/shop.git",
            "file:///srv/git/shop.git",
        ] {
            assert!(text.parse::<Repository>().is_ok(), "{text}");
        }
    }

    #[test]
    fn addresses_that_could_run_something_are_refused() {
        for text in [
            "",
            "shop",
            "../shop",
            "ext::sh -c whoami",
            "ext::whoami",
            "--upload-pack=x",
            "-x@y:z",
            "ssh://-oProxyCommand=x/y",
            "git@-oProxyCommand=x:y",
            "git@host:-x",
            "file://host/x",
            "fd::17",
            "https://",
            "a b@c:d",
            "git@host::x",
        ] {
            assert!(text.parse::<Repository>().is_err(), "{text}");
        }
        assert_eq!("https://user:password@example.org/x".parse::<Repository>(), Err(SourceError::Credentials));
    }

    #[test]
    fn references_follow_git() {
        for text in ["main", "feature/ünicode", "v1.2.3", "0123456789abcdef0123456789abcdef01234567"] {
            assert!(text.parse::<Reference>().is_ok(), "{text}");
        }
        for text in ["", "-x", "--upload-pack=x", "a..b", "a b", "a:b", "x.lock", "@", "a@{1}", "a\0"] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    #[test]
    fn directories_stay_inside() {
        assert_eq!("./apps//web/".parse::<Directory>().unwrap().as_str(), "apps/web");
        for text in ["", ".", "/", "/etc", "..", "a/../../b", "a\0"] {
            assert!(text.parse::<Directory>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_accepted_looks_like_an_option(text in "\\PC{0,40}") {
            if let Ok(repository) = text.parse::<Repository>() {
                prop_assert!(!repository.as_str().starts_with('-'));
            }
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert!(!reference.as_str().starts_with('-'));
            }
        }
    }
}
