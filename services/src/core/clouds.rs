//! The clouds that deployments go to.

use clouds_contract::Cloud;
use domain::deployment::Deployment;

use crate::{Result, ServiceError, Services};

/// The cloud of every environment, until an environment can be placed on another one.
const HOME: &str = "local";

impl Services {
    /// A cloud by its name.
    pub(crate) fn cloud(&self, name: &str) -> Result<&Cloud> {
        self.inner.clouds.get(name).ok_or_else(|| {
            let known: Vec<_> = self.inner.clouds.keys().copied().collect();
            ServiceError::invalid(
                "cloud",
                "UNKNOWN_CLOUD",
                format!("there is no cloud `{}` here: use {}", name.escape_debug(), known.join(", ")),
            )
        })
    }

    /// The cloud that runs what has no other place.
    pub(crate) fn home_cloud(&self) -> Result<&Cloud> {
        self.cloud(HOME)
    }

    /// The cloud that builds and runs a deployment.
    pub(crate) fn cloud_of(&self, _deployment: &Deployment) -> Result<&Cloud> {
        self.home_cloud()
    }

    /// Refuses a request for another cloud than the deployment would get.
    pub(crate) fn check_cloud(&self, wanted: &str) -> Result<()> {
        self.cloud(wanted)?;
        if wanted == HOME {
            return Ok(());
        }
        let message = format!("deployments go to `{HOME}` here, not yet to `{wanted}`: leave the cloud out, or name `{HOME}`");
        Err(ServiceError::invalid("cloud", "OTHER_CLOUD", message))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::Store;

    use super::*;
    use crate::Inner;
    use crate::test_house::{TestHouse, open};

    testkit::on_both_databases! {
        open;

        async fn another_cloud_than_the_deployment_gets_is_refused(store: Store) {
            let mut services = TestHouse::new(store).await.services;
            assert_eq!(services.check_cloud("mars").unwrap_err().to_string(), "there is no cloud `mars` here: use local");
            let inner: &mut Inner = Arc::get_mut(&mut services.inner).unwrap();
            let other = Cloud { name: "other", ..inner.clouds["local"].clone() };
            inner.clouds.insert("other", other);
            services.check_cloud("local").unwrap();
            let refused = services.check_cloud("other").unwrap_err();
            assert!(matches!(refused, ServiceError::Invalid { field: "cloud", code: "OTHER_CLOUD", .. }), "{refused}");
        }
    }
}
