//! The cloud of one's own machines, which builds for all others.

use clouds_contract::{Cloud, HostLabels};
use domain::cloud::LOCAL;

use crate::{Context, Result, ServiceError};

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
        self.cloud(LOCAL)
    }

    /// The host names of what runs on one's own machines.
    pub fn host_labels(&self) -> Result<&dyn HostLabels> {
        self.home_cloud()?.labels.as_deref().ok_or(ServiceError::NotFound("host names of one's own machines"))
    }
}
