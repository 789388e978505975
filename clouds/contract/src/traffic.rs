use async_trait::async_trait;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};

use crate::CloudError;

/// Route from an environment's host label to a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The host label, such as `shop` or `shop--preview`.
    pub label: String,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The environment it shows.
    pub environment_id: EnvironmentId,
    /// The deployment it shows.
    pub deployment_id: DeploymentId,
}

/// Internal address of a label, for places where its name may not resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Scheme and address to connect to, such as `http://10.0.0.2:8081`.
    pub base: String,
    /// Value of the `Host` header.
    pub host: String,
}

/// Sends an environment's visitors to one of its deployments.
#[async_trait]
pub trait Traffic: Send + Sync {
    /// Makes the label show this deployment. When it returns, every new request sees it; requests under way finish where they began.
    /// What showed there before is drained and then kept only as far as rollback needs it.
    async fn switch(&self, route: &Route) -> Result<(), CloudError>;

    /// Returns the deployment that the label serves.
    async fn current(&self, label: &str) -> Result<Option<DeploymentId>, CloudError>;

    /// Makes the label show nothing, if it is this project's. Removing what is not there is no error.
    async fn remove(&self, owner: (TeamId, ProjectId), label: &str) -> Result<(), CloudError>;

    /// Returns the address at which this process reaches the deployment that a label serves.
    async fn reach(&self, label: &str) -> Result<Reach, CloudError>;

    /// The address at which a label is seen, such as `http://shop.localhost:8080`.
    fn url(&self, label: &str) -> String;
}
