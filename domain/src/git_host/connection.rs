use serde::{Deserialize, Serialize};

use super::{GitHost, RepositoryName};
use crate::id::{DeploymentId, EnvironmentId, GitConnectionId, GitDeliveryId, PreviewId, ProjectId, TeamId, UserId};
use crate::name::EnvironmentName;
use crate::source::Reference;
use crate::time::Timestamp;

/// A project's repository at a Git host, whose pushes and pull requests deploy. It acts for who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct GitConnection {
    /// Identity.
    pub id: GitConnectionId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project that it deploys.
    pub project_id: ProjectId,
    /// Kind of the host's API.
    pub host: GitHost,
    /// URL of the host's API, with a trailing slash.
    pub api_url: String,
    /// The repository there.
    #[cfg_attr(feature = "sqlx", sqlx(try_from = "String"))]
    pub repository: RepositoryName,
    /// The installation of the app by which the API is used; with a token, or not at all, when absent.
    pub installation_id: Option<i64>,
    /// Allows reports of commit statuses to the host: there is a token or an installation.
    pub reports: bool,
    /// Rules for other branches that deploy, with their environments.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub branches: Vec<BranchRule>,
    /// Enables previews of pull requests.
    pub previews: bool,
    /// Lifetime of a preview after its last commit, hours.
    pub preview_hours: i64,
    /// User on whose behalf it acts.
    pub created_by: UserId,
    /// Creation time.
    pub created_at: Timestamp,
}

/// A branch that deploys to an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchRule {
    /// The branch.
    pub branch: Reference,
    /// Environment that its commits are deployed to.
    pub environment: EnvironmentName,
}

/// State of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum), graphql(name = "GitDeliveryState"))]
pub enum WebhookDeliveryState {
    /// It waits for a worker.
    Waiting,
    /// It did what it was to do.
    Done,
    /// Nothing follows from it.
    Ignored,
    /// Failure: the requested action could not be done.
    Failed,
}

impl WebhookDeliveryState {
    /// The name used in messages and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }
}

/// One message of a Git host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct WebhookDelivery {
    /// Identity.
    pub id: GitDeliveryId,
    /// The team that it is for.
    pub team_id: TeamId,
    /// The connection that it came by.
    pub connection_id: GitConnectionId,
    /// The host's id of it.
    pub delivery: String,
    /// The host's name of the event.
    pub event: String,
    /// State of the webhook.
    pub state: WebhookDeliveryState,
    /// Outcome of the delivery, for people.
    pub outcome: Option<String>,
    /// The deployment that came of it.
    pub deployment_id: Option<DeploymentId>,
    /// Time of receipt.
    pub received_at: Timestamp,
}

/// An app on an account of a Git host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Installation {
    /// The host's number of it.
    pub id: i64,
    /// The account.
    pub account: String,
    /// The team that may connect the account's repositories, once the operator has said so.
    pub team_id: Option<TeamId>,
    /// Marks an installation that the account's owner has suspended.
    pub suspended: bool,
    /// Time of the last change that was reported.
    pub changed_at: Timestamp,
}

/// Preview of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Preview {
    /// Identity.
    pub id: PreviewId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project.
    pub project_id: ProjectId,
    /// The connection that it came by.
    pub connection_id: GitConnectionId,
    /// The environment; none once it is removed.
    pub environment_id: Option<EnvironmentId>,
    /// The pull request's number.
    pub number: i64,
    /// Title that its author gave it.
    pub title: String,
    /// Its author's name at the host.
    pub author: String,
    /// The branch that it would merge.
    pub branch: String,
    /// Its newest commit.
    pub commit_sha: String,
    /// Marks a pull request from another repository.
    pub is_fork: bool,
    /// The host's number of the comment that tells of it.
    pub comment_id: Option<i64>,
    /// Reason for which it ends or has ended, for people; none while it is wanted.
    pub closed_because: Option<String>,
    /// Time at which it is removed unless there are new commits.
    pub expires_at: Timestamp,
    /// Creation time.
    pub created_at: Timestamp,
}
