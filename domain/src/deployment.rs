//! Deployments and the states they go through.

use serde::{Deserialize, Serialize};

use crate::artifact::Digest;
use crate::environment::deployment_label;
use crate::id::{DeploymentId, EnvironmentId, ProjectId, TeamId, UserId};
use crate::name::ProjectName;
use crate::source::Source;
use crate::time::Timestamp;
use crate::workload::WorkloadSpec;

/// State of a deployment: `queued -> building -> releasing -> live -> superseded`; `failed` and `cancelled` from any of the first
/// three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum DeploymentStatus {
    /// Waits for a worker.
    Queued,
    /// Its source is fetched and built.
    Building,
    /// Its artifact is started, probed and switched to.
    Releasing,
    /// Its environment shows it.
    Live,
    /// Another deployment took its place; it stays ready for rollback.
    Superseded,
    /// It ended with an error, which [`Failure`] tells.
    Failed,
    /// Somebody, or a newer deployment, cancelled it.
    Cancelled,
}

/// A step that the state machine does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a deployment that is {} cannot become {}", from.name(), to.name())]
pub struct InvalidTransition {
    /// The state it is in.
    pub from: DeploymentStatus,
    /// The state that was asked for.
    pub to: DeploymentStatus,
}

impl DeploymentStatus {
    /// Every state, in the order of a deployment's life.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Building, Self::Releasing, Self::Live, Self::Superseded, Self::Failed, Self::Cancelled];

    /// The name used in the API and the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Building => "building",
            Self::Releasing => "releasing",
            Self::Live => "live",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns true if work remains to be done on it.
    pub fn is_moving(self) -> bool {
        matches!(self, Self::Queued | Self::Building | Self::Releasing)
    }

    /// Returns true if the state machine has a step from this state to that one.
    pub fn can_become(self, to: Self) -> bool {
        use DeploymentStatus as S;
        match to {
            S::Building => self == S::Queued,
            // A rollback or promotion has nothing to build.
            S::Releasing => matches!(self, S::Queued | S::Building),
            S::Live => self == S::Releasing,
            S::Superseded => self == S::Live,
            S::Failed | S::Cancelled => self.is_moving(),
            S::Queued => false,
        }
    }

    /// The new state, or why it cannot be.
    pub fn become_(self, to: Self) -> Result<Self, InvalidTransition> {
        self.can_become(to).then_some(to).ok_or(InvalidTransition { from: self, to })
    }
}

/// Reason for which a deployment failed or was cancelled: a stable code for programs, a message for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, in capitals, such as `BUILD_FAILED`.
    pub code: String,
    /// Description of the failure, with a remedy.
    pub message: String,
}

impl Failure {
    /// A failure with this code and message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// Cause of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum), graphql(name = "DeploymentTrigger"))]
pub enum Cause {
    /// A new build of a source.
    Build,
    /// The artifact of a deployment in another environment.
    Promotion,
    /// An earlier deployment of the same environment: artifact, configuration and secrets.
    Rollback,
}

/// One attempt to make a source live in an environment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Deployment {
    /// Identity.
    pub id: DeploymentId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project it deploys.
    pub project_id: ProjectId,
    /// The environment it deploys to.
    pub environment_id: EnvironmentId,
    /// Counts the deployments of a project from 1.
    pub number: i64,
    /// Status of the deployment.
    pub status: DeploymentStatus,
    /// Cause of the deployment.
    pub trigger: Cause,
    /// Source from which it is built.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub source: Source,
    /// The commit that was built, once known.
    pub commit_sha: Option<String>,
    /// The deployment whose artifact this one uses, for promotions and rollbacks.
    pub origin_id: Option<DeploymentId>,
    /// Digest of the built artifact, once it is built.
    pub artifact_digest: Option<Digest>,
    /// Time at which its artifact was removed; it cannot be released again then.
    pub artifact_removed_at: Option<Timestamp>,
    /// Workload that runs, once it is known.
    #[cfg_attr(feature = "sqlx", sqlx(json(nullable)))]
    pub workload: Option<WorkloadSpec>,
    /// The version of the environment's variables it runs with.
    pub config_version: i64,
    /// Reason for which it failed or was cancelled.
    #[cfg_attr(feature = "sqlx", sqlx(json(nullable)))]
    pub failure: Option<Failure>,
    /// User who requested it.
    pub created_by: Option<UserId>,
    /// Time of the request.
    pub created_at: Timestamp,
    /// Time at which its present state began.
    pub changed_at: Timestamp,
    /// Deadline of the present phase; `None` in a state that does not move.
    pub deadline: Option<Timestamp>,
    /// The number of its last event.
    pub event_count: i64,
    /// The number of its last log line.
    pub log_count: i64,
    /// The name of its project in its own address, where the project has another name by now.
    pub address_name: Option<ProjectName>,
    /// The cloud it was asked for by name, such as `gcp` or `gcp:backup`; without it, the project file or the environment says.
    pub wanted_cloud: Option<String>,
}

impl Deployment {
    /// The host label that shows it alone. A new name of its project does not change it.
    pub fn label(&self, project: &ProjectName) -> String {
        deployment_label(self.address_name.as_ref().unwrap_or(project), self.id)
    }

    /// Allows a rollback of its environment to it: it was live once, and its artifact is kept.
    pub fn is_rollback_target(&self) -> bool {
        self.status == DeploymentStatus::Superseded && self.artifact_digest.is_some() && self.artifact_removed_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_transitions() {
        let table: Vec<String> = DeploymentStatus::ALL
            .into_iter()
            .map(|from| {
                let to: Vec<_> =
                    DeploymentStatus::ALL.into_iter().filter(|to| from.can_become(*to)).map(DeploymentStatus::name).collect();
                format!("{} -> {}", from.name(), if to.is_empty() { "-".to_owned() } else { to.join(" ") })
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        queued -> building releasing failed cancelled
        building -> releasing failed cancelled
        releasing -> live failed cancelled
        live -> superseded
        superseded -> -
        failed -> -
        cancelled -> -
        ");
    }

    #[test]
    fn an_invalid_transition_says_both_ends() {
        let error = DeploymentStatus::Failed.become_(DeploymentStatus::Live).unwrap_err();
        assert_eq!(error.to_string(), "a deployment that is failed cannot become live");
    }
}
