use async_trait::async_trait;
use domain::artifact::Digest;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Address, CloudError, Progress, Scope};

/// Desired state of one deployment. Names and tags in the cloud derive from these ids, so that a repeated `apply` finds the
/// result of an interrupted one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Desired<S> {
    /// The deployment it exists for; its name in the cloud.
    pub deployment_id: DeploymentId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The environment it belongs to.
    pub environment_id: EnvironmentId,
    /// The host label that shows this deployment alone.
    pub label: String,
    /// The artifact it runs.
    pub artifact: Digest,
    /// Workload that it runs as.
    pub spec: S,
}

impl<S> Desired<S> {
    /// The same with another specification.
    pub fn with<T>(&self, spec: T) -> Desired<T> {
        Desired {
            deployment_id: self.deployment_id,
            team_id: self.team_id,
            project_id: self.project_id,
            environment_id: self.environment_id,
            label: self.label.clone(),
            artifact: self.artifact.clone(),
            spec,
        }
    }
}

/// State of an applied resource as reported by a cloud. A state the vendor added later maps to [`Observation::Pending`], never to
/// ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Observation {
    /// It does not exist.
    Absent,
    /// It is being made; the text says what it waits for.
    Pending {
        /// Condition that it waits for, for people.
        detail: String,
    },
    /// It answers.
    Ready {
        /// Time since which this state lasts.
        since: Timestamp,
    },
    /// It will not become ready by waiting.
    Failed {
        /// Stable, in capitals, such as `HEALTH_CHECK_FAILED`.
        code: String,
        /// Description of the failure, with a remedy.
        message: String,
    },
}

/// A workload that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Started {
    /// Address that shows this deployment alone, where there is one.
    pub address: Option<Address>,
}

/// One capability of a cloud, for one kind of specification.
///
/// All calls can be repeated at any time, by several processes at once, after any crash. Each does as much as can be done now.
#[async_trait]
pub trait Provider<S: Send + Sync>: Send + Sync {
    /// Makes it exist as described, and wakes what rests. Ready once there is nothing more to ask for, which may be before it answers:
    /// see [`observe`](Self::observe). What exists already as described stays untouched.
    async fn apply(&self, scope: &Scope<'_>, desired: &Desired<S>) -> Result<Progress<Started>, CloudError>;

    /// Returns the present state.
    async fn observe(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Observation, CloudError>;

    /// Lets it rest: nobody sees it and it costs next to nothing, and [`apply`](Self::apply) brings it back.
    async fn rest(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError>;

    /// Makes it be gone, whatever state it is in. Deleting what does not exist is no error.
    async fn delete(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError>;
}
