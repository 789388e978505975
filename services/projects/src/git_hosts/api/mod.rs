//! Client of the Git hosts' APIs: queries and reports.

mod github;
mod gitlab;

use std::time::Duration;

use domain::git_host::{GitConnection, GitHost, RepositoryName};
use domain::secret::Secret;
use github::GitHub;
use gitlab::GitLab;
use url::Url;

use super::settings::GitHosts;

/// Timeout of one exchange with a host.
const PATIENCE: Duration = Duration::from_secs(20);

/// State of a commit, as the host displays it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitState {
    /// It is being deployed.
    Pending,
    /// It is live.
    Success,
    /// It could not be deployed.
    Failure,
    /// Its deployment was cancelled.
    Cancelled,
}

/// Status that a host displays beside a commit.
#[derive(Debug, Clone)]
pub(super) struct CommitStatus {
    /// State of the commit.
    pub state: CommitState,
    /// Name of the status, among others of the commit.
    pub context: String,
    /// Description of the status, on one line.
    pub description: String,
    /// Link to further details.
    pub target: Option<String>,
}

/// Reason for which a host did not carry out a request.
#[derive(Debug, thiserror::Error)]
pub(super) enum HostError {
    /// It may do it later.
    #[error("{0}")]
    Later(String),
    /// It does not do it as it is asked.
    #[error("{0}")]
    Refused(String),
    /// There is no such thing there.
    #[error("{0}")]
    NotFound(String),
}

impl HostError {
    fn of_status(host: GitHost, status: u16, message: &str) -> Self {
        let message = message.chars().take(200).collect::<String>();
        let said = format!("{} answered {status}: {message}", host.title());
        match status {
            404 | 410 => Self::NotFound(format!("{said}. Does the token, or the app, have access to the repository?")),
            401 | 403 if !message.to_lowercase().contains("rate limit") => {
                Self::Refused(format!("{said}. Give the connection a token that is valid and may write statuses and comments"))
            }
            401 | 403 | 429 | 500.. => Self::Later(said),
            _ => Self::Refused(said),
        }
    }

    fn unreachable(host: GitHost, problem: impl std::fmt::Display) -> Self {
        Self::Later(format!("{} could not be reached: {problem}", host.title()))
    }
}

/// The API of a host, with the right to use it for a connection.
pub(super) enum HostApi {
    GitHub(GitHub),
    GitLab(GitLab),
}

impl HostApi {
    /// The API for a connection: by its installation of the app, or with its token.
    pub async fn open(hosts: &GitHosts, connection: &GitConnection, token: Option<Secret>) -> Result<Option<Self>, HostError> {
        let address: Url = connection.api_url.parse().map_err(|error| HostError::Refused(format!("{error}")))?;
        if !hosts.knows(connection.host, &address) {
            let message = format!("{address} is not among the Git hosts of this installation any more: ask who runs it");
            return Err(HostError::Refused(message));
        }
        match (connection.host, connection.installation_id, token) {
            (GitHost::GitHub, Some(installation), _) => {
                let app = hosts.app.as_ref();
                let app = app.ok_or_else(|| HostError::Refused("this installation has no GitHub App any more".to_owned()))?;
                Ok(Some(Self::GitHub(GitHub::by_installation(app, installation).await?)))
            }
            (GitHost::GitHub, None, Some(token)) => Ok(Some(Self::GitHub(GitHub::with_token(&address, token)?))),
            (GitHost::GitLab, _, Some(token)) => Ok(Some(Self::GitLab(GitLab::new(address, token)?))),
            _ => Ok(None),
        }
    }

    /// By which user and password the repository is fetched.
    pub fn login(&self) -> (&'static str, &Secret) {
        match self {
            Self::GitHub(github) => ("x-access-token", github.token()),
            Self::GitLab(gitlab) => ("oauth2", gitlab.token()),
        }
    }

    /// Checks that the repository exists, and may be read.
    pub async fn check(&self, repository: &RepositoryName) -> Result<(), HostError> {
        match self {
            Self::GitHub(github) => in_time(GitHost::GitHub, github.check(repository)).await,
            Self::GitLab(gitlab) => in_time(GitHost::GitLab, gitlab.check(repository)).await,
        }
    }

    /// Shows a status beside a commit.
    pub async fn set_status(&self, repository: &RepositoryName, commit: &str, status: &CommitStatus) -> Result<(), HostError> {
        match self {
            Self::GitHub(github) => in_time(GitHost::GitHub, github.set_status(repository, commit, status)).await,
            Self::GitLab(gitlab) => in_time(GitHost::GitLab, gitlab.set_status(repository, commit, status)).await,
        }
    }

    /// The comment at a pull request that has this text in it, among the first few hundred.
    pub async fn find_comment(&self, repository: &RepositoryName, number: i64, mark: &str) -> Result<Option<i64>, HostError> {
        match self {
            Self::GitHub(github) => in_time(GitHost::GitHub, github.find_comment(repository, number, mark)).await,
            Self::GitLab(gitlab) => in_time(GitHost::GitLab, gitlab.find_comment(repository, number, mark)).await,
        }
    }

    /// Writes a comment at a pull request; returns the host's number of it.
    pub async fn create_comment(&self, repository: &RepositoryName, number: i64, body: &str) -> Result<i64, HostError> {
        match self {
            Self::GitHub(github) => in_time(GitHost::GitHub, github.create_comment(repository, number, body)).await,
            Self::GitLab(gitlab) => in_time(GitHost::GitLab, gitlab.create_comment(repository, number, body)).await,
        }
    }

    /// Writes a comment anew; `NotFound` when somebody deleted it.
    pub async fn update_comment(
        &self,
        repository: &RepositoryName,
        number: i64,
        comment: i64,
        body: &str,
    ) -> Result<(), HostError> {
        match self {
            Self::GitHub(github) => in_time(GitHost::GitHub, github.update_comment(repository, comment, body)).await,
            Self::GitLab(gitlab) => in_time(GitHost::GitLab, gitlab.update_comment(repository, number, comment, body)).await,
        }
    }
}

async fn in_time<T>(host: GitHost, exchange: impl Future<Output = Result<T, HostError>>) -> Result<T, HostError> {
    let answered = tokio::time::timeout(PATIENCE, exchange).await;
    answered.unwrap_or_else(|_| Err(HostError::unreachable(host, format!("no answer within {} seconds", PATIENCE.as_secs()))))
}
