use async_trait::async_trait;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::workload::WorkloadKind;

use crate::{Address, CloudError, Progress, Scope};

/// Route from an environment to a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The environment's host label, such as `shop` or `shop--preview`.
    pub label: String,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The environment it shows.
    pub environment_id: EnvironmentId,
    /// The deployment it shows.
    pub deployment_id: DeploymentId,
    /// Kind of the deployment's workload.
    pub kind: WorkloadKind,
    /// The deployment that it showed before.
    pub before: Option<DeploymentId>,
}

/// Sends an environment's visitors to one of its deployments.
#[async_trait]
pub trait Traffic: Send + Sync {
    /// Makes the environment show this deployment. Once ready, every new request sees it; requests under way finish where they began.
    async fn switch(&self, scope: &Scope<'_>, route: &Route) -> Result<Progress<Address>, CloudError>;

    /// Returns the deployment that the environment shows.
    async fn shown(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError>;

    /// Removes the environment's address with everything that its deployments share. Removing what is not there is no error.
    async fn remove(&self, scope: &Scope<'_>) -> Result<Progress, CloudError>;
}
