//! Fetching a Git repository, by the `git` program (docs/adr/0002-git-program.md).

mod checkout;
mod command;
mod error;
mod fetch;
#[cfg(test)]
mod ssh_tests;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::secret::Secret;
use domain::source::{Reference, Repository};
use tokio_util::sync::CancellationToken;
use url::Url;

pub use error::SourceError;

use command::Git;
use fetch::Depth;

/// Options for fetching a repository.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// Timeout of the whole fetch.
    pub timeout: Duration,
    /// Maximum total size of the fetched repository and its files, bytes.
    pub bytes: u64,
    /// A Git configuration of the operator's to read, for credential helpers and the like. Without one, Git reads no
    /// configuration but ours.
    pub config: Option<PathBuf>,
    /// Operator's command that starts ssh, such as `ssh -i /etc/mikrocloud/key`; by default the value of `GIT_SSH_COMMAND`, else
    /// `ssh`. A shell reads it: it never comes from a user.
    pub ssh: Option<String>,
    /// A user and a password for one server that is reached by http or https.
    pub login: Option<HttpLogin>,
    /// Variables that every process of a fetch carries, by which it is recognised when the one who started it is gone.
    pub env: Vec<(String, String)>,
}

/// A user and a password, which are shown to one server and to no other.
#[derive(Debug, Clone)]
pub struct HttpLogin {
    /// The server, such as `https://github.com/`.
    pub server: Url,
    /// The user.
    pub user: String,
    /// The password, or a token.
    pub password: Secret,
}

impl Default for GitOptions {
    fn default() -> Self {
        let ssh = std::env::var("GIT_SSH_COMMAND").ok().filter(|command| !command.trim().is_empty());
        Self { timeout: Duration::from_mins(5), bytes: 4 << 30, config: None, ssh, login: None, env: Vec::new() }
    }
}

/// Result of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The id of the commit whose files are in the directory.
    pub commit: String,
}

/// Fetches the files of one commit, with submodules and without history, into `target`, which must be absent or empty. The
/// repository's default branch when no reference is given. On an error, or when `stop` fires, no process is left; the caller
/// removes `target`.
pub async fn fetch_git(
    repository: &Repository,
    reference: Option<&Reference>,
    target: &Path,
    options: &GitOptions,
    stop: CancellationToken,
) -> Result<Fetched, SourceError> {
    let (git, commit) = fetched(repository, reference, target, options, stop, Depth::Files).await?;
    checkout::checkout(&git, &commit).await?;
    let target = target.to_owned();
    let name = error::shown(repository.as_str());
    tokio::task::spawn_blocking(move || checkout::finish(&target, &name))
        .await
        .map_err(|error| SourceError::io(error.into()))??;
    Ok(Fetched { commit })
}

/// The id of the commit that a reference means at this moment, found by the same rules as [`fetch_git`] finds it. `scratch` must be
/// absent or empty; what is left in it is of no use, and the caller removes it.
pub async fn resolve_git(
    repository: &Repository,
    reference: Option<&Reference>,
    scratch: &Path,
    options: &GitOptions,
    stop: CancellationToken,
) -> Result<String, SourceError> {
    fetched(repository, reference, scratch, options, stop, Depth::Commit).await.map(|(_, commit)| commit)
}

async fn fetched(
    repository: &Repository,
    reference: Option<&Reference>,
    target: &Path,
    options: &GitOptions,
    stop: CancellationToken,
    depth: Depth,
) -> Result<(Git, String), SourceError> {
    if let Some(path) = repository.local_path()
        && !Path::new(path).exists()
    {
        return Err(SourceError::NotFound(error::shown(repository.as_str())));
    }
    let git = Git::new(repository, target, options, stop).await?;
    let commit = fetch::fetch(&git, reference, depth).await?;
    Ok((git, commit))
}
