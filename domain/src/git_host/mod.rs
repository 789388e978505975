//! Git hosts: what they tell of a repository, and what is kept about the connection to one.

mod address;
mod connection;
pub mod github;
pub mod gitlab;
mod payload;
#[cfg(test)]
mod tests;

pub use address::{RepositoryName, RepositoryNameError};
pub use connection::{BranchRule, GitConnection, Installation, Preview, WebhookDelivery, WebhookDeliveryState};

use serde::{Deserialize, Serialize};

use crate::source::Reference;
use crate::time::Timestamp;

/// Kind of a Git host's API and webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum GitHost {
    /// github.com, or a GitHub Enterprise Server.
    #[serde(rename = "github")]
    #[cfg_attr(feature = "sqlx", sqlx(rename = "github"))]
    #[cfg_attr(feature = "graphql", graphql(name = "GITHUB"))]
    GitHub,
    /// gitlab.com, or a GitLab of somebody's own.
    #[serde(rename = "gitlab")]
    #[cfg_attr(feature = "sqlx", sqlx(rename = "gitlab"))]
    #[cfg_attr(feature = "graphql", graphql(name = "GITLAB"))]
    GitLab,
}

impl GitHost {
    /// The name used in addresses and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
        }
    }

    /// Returns the display name of the host.
    pub fn title(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
        }
    }

    /// Returns the host's term for a request to merge a branch.
    pub fn request_noun(self) -> &'static str {
        match self {
            Self::GitHub => "pull request",
            Self::GitLab => "merge request",
        }
    }

    /// The environment that shows the pull request with this number: `pr-12`, or `mr-12`.
    pub fn preview_environment(self, number: i64) -> String {
        match self {
            Self::GitHub => format!("pr-{number}"),
            Self::GitLab => format!("mr-{number}"),
        }
    }
}

/// Content of a webhook, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostEvent {
    /// The repository that it is about, if it is about one.
    pub repository: Option<RepositoryName>,
    /// By which installation of an app it comes, if by one.
    pub installation: Option<i64>,
    /// Time of the event, if the webhook states it.
    pub at: Option<Timestamp>,
    /// The event.
    pub what: GitEvent,
}

/// Event reported by a Git host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GitEvent {
    /// A branch got commits.
    Push(Push),
    /// A pull request, or merge request, was opened, changed or closed.
    PullRequest(PullRequest),
    /// An app was installed, or something about that changed.
    Installation(InstallationChange),
    /// A webhook was set up, and says so.
    Ping,
    /// Something that nothing follows from, and why.
    Nothing {
        /// Reason, for people.
        reason: String,
    },
}

/// Commits on a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The branch.
    pub branch: Reference,
    /// Its newest commit.
    pub commit: Reference,
    /// The repository's default branch.
    pub default_branch: Option<Reference>,
}

/// A pull request or merge request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its number in its repository.
    pub number: i64,
    /// Action on the pull request.
    pub action: PullRequestAction,
    /// Title that its author gave it.
    pub title: String,
    /// Its author's name at the host.
    pub author: String,
    /// The branch that it would merge.
    pub branch: String,
    /// The newest commit of that branch.
    pub commit: Reference,
    /// Marks a branch in another repository, whose members may not write to this one.
    pub is_fork: bool,
}

/// Action on a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullRequestAction {
    /// It was opened, or opened again, or has other commits now.
    Changed,
    /// It was merged, or closed without that.
    Closed,
}

/// An app on an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationChange {
    /// The installation's number.
    pub id: i64,
    /// The account that it is installed on.
    pub account: String,
    /// Action on the installation.
    pub action: InstallationAction,
}

/// Action on an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallationAction {
    /// It is there, and works.
    Present,
    /// The account's owner does not let it work for now.
    Suspended,
    /// It was taken off.
    Deleted,
}

/// Reason for which a host's payload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is not JSON, or lacks what every such message has.
    #[error("the body is no message of this kind: {0}")]
    Malformed(String),
    /// A value in it is none that the field can have.
    #[error("`{field}` is not usable: {problem}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// Description of the problem.
        problem: String,
    },
}
