use async_trait::async_trait;
use domain::id::{DeploymentId, ProjectId, TeamId};

use crate::{CloudError, Reach};

/// Host names of our own choice: on machines of one's own the address of an environment follows from its label. Vendors choose theirs
/// themselves.
#[async_trait]
pub trait HostLabels: Send + Sync {
    /// Returns the deployment that the label serves.
    async fn current(&self, label: &str) -> Result<Option<DeploymentId>, CloudError>;

    /// Makes the label show nothing, if it is this project's. Removing what is not there is no error.
    async fn remove(&self, owner: (TeamId, ProjectId), label: &str) -> Result<(), CloudError>;

    /// Returns the address at which this process reaches the deployment that a label serves.
    async fn reach(&self, label: &str) -> Result<Reach, CloudError>;

    /// The address at which a label is seen, such as `http://shop.localhost:8080`.
    fn url(&self, label: &str) -> String;
}
