//! The clouds that deployments go to.

use clouds_contract::{Cloud, HostLabels};
use domain::deployment::Deployment;

use crate::{Context, Result, ServiceError};

/// The cloud of every environment, until an environment can be placed on another one.
const HOME: &str = "local";

impl Context {
    /// A cloud by its name.
    pub fn cloud(&self, name: &str) -> Result<&Cloud> {
        self.inner.clouds.get(name).ok_or_else(|| {
            let known: Vec<_> = self.inner.clouds.keys().copied().collect();
            ServiceError::invalid(
                "cloud",
                "UNKNOWN_CLOUD",
                format!("there is no cloud `{}` here: use {}", name.escape_debug(), known.join(", ")),
            )
        })
    }

    /// The clouds there are.
    pub fn clouds(&self) -> impl Iterator<Item = &Cloud> {
        self.inner.clouds.values()
    }

    /// The cloud that runs what has no other place.
    pub fn home_cloud(&self) -> Result<&Cloud> {
        self.cloud(HOME)
    }

    /// The host names of what runs on one's own machines.
    pub fn host_labels(&self) -> Result<&dyn HostLabels> {
        self.home_cloud()?.labels.as_deref().ok_or(ServiceError::NotFound("host names of one's own machines"))
    }

    /// The cloud that builds and runs a deployment.
    pub fn cloud_of(&self, _deployment: &Deployment) -> Result<&Cloud> {
        self.home_cloud()
    }

    /// Refuses a request for another cloud than the deployment would get.
    pub fn check_cloud(&self, wanted: &str) -> Result<()> {
        self.cloud(wanted)?;
        if wanted == HOME {
            return Ok(());
        }
        let message = format!("deployments go to `{HOME}` here, not yet to `{wanted}`: leave the cloud out, or name `{HOME}`");
        Err(ServiceError::invalid("cloud", "OTHER_CLOUD", message))
    }
}
