use std::sync::Arc;

use domain::workload::{FunctionSet, Server, StaticSite};

use crate::{About, Account, Builds, CloudError, ErrorKind, HostLabels, Provider, Traffic};

/// A cloud as the services see it, opened for one account: a name and what it can do. An empty place is a capability it does not have.
#[derive(Clone)]
pub struct Cloud {
    /// Its name, such as `local`.
    pub name: &'static str,
    /// Abilities, as data.
    pub about: &'static About,
    /// The opened account; the local cloud has none.
    pub account: Option<Arc<dyn Account>>,
    /// Serves files.
    pub static_sites: Option<Arc<dyn Provider<StaticSite>>>,
    /// Runs programs that listen.
    pub servers: Option<Arc<dyn Provider<Server>>>,
    /// Runs functions on demand.
    pub functions: Option<Arc<dyn Provider<FunctionSet>>>,
    /// Runs builds.
    pub builds: Option<Arc<dyn Builds>>,
    /// Switches visitors between deployments.
    pub traffic: Arc<dyn Traffic>,
    /// Gives hosts names of our choice.
    pub labels: Option<Arc<dyn HostLabels>>,
}

impl Cloud {
    /// The capability, or a typed error that names cloud and capability, before any call is made.
    pub fn require<'a, T>(&self, capability: &'a Option<T>, name: &str) -> Result<&'a T, CloudError> {
        capability.as_ref().ok_or_else(|| {
            let message = format!("the cloud `{}` has no {name}: choose another cloud in [deploy] clouds", self.name);
            CloudError::new(ErrorKind::Unsupported, "UNSUPPORTED", message)
        })
    }
}
