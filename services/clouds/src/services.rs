use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

use clouds_contract::{Cloud, Vendor};
use domain::cloud::LOCAL;
use domain::id::CloudAccountId;
use services_core::{Result, ServiceError, area};
use services_identity::IdentityServices;

/// Settings of clouds.
#[derive(Clone, Default)]
pub struct CloudSettings {
    /// Vendors whose accounts can be connected.
    pub vendors: Vec<Arc<dyn Vendor>>,
    /// Addresses of simulated clouds that accounts may be connected at. Everywhere else the server sends nothing but to vendors.
    pub endpoints: Vec<String>,
}

impl fmt::Debug for CloudSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vendors: Vec<_> = self.vendors.iter().map(|vendor| vendor.name()).collect();
        f.debug_struct("CloudSettings").field("vendors", &vendors).field("endpoints", &self.endpoints).finish()
    }
}

area! {
    /// The use cases of clouds. Cheap to clone.
    CloudServices over IdentityServices: Inner
}

struct Inner {
    vendors: BTreeMap<&'static str, Arc<dyn Vendor>>,
    endpoints: Vec<String>,
    opened: Mutex<HashMap<CloudAccountId, (i64, Cloud)>>,
}

impl CloudServices {
    /// The use cases over those of identity.
    pub fn new(below: IdentityServices, settings: CloudSettings) -> Self {
        let vendors = settings.vendors.into_iter().map(|vendor| (vendor.name(), vendor)).collect();
        let inner = Inner { vendors, endpoints: settings.endpoints, opened: Mutex::default() };
        Self { below, inner: Arc::new(inner) }
    }

    /// Vendors whose accounts can be connected.
    pub fn vendors(&self) -> impl Iterator<Item = &Arc<dyn Vendor>> {
        self.inner.vendors.values()
    }

    /// A vendor by the name of its cloud.
    pub fn vendor(&self, cloud: &str) -> Result<&Arc<dyn Vendor>> {
        self.inner.vendors.get(cloud).ok_or_else(|| {
            let known: Vec<_> = std::iter::once(LOCAL).chain(self.inner.vendors.keys().copied()).collect();
            let message = format!("there is no cloud `{}` here: use {}", cloud.escape_debug(), known.join(", "));
            ServiceError::invalid("cloud", "UNKNOWN_CLOUD", message)
        })
    }

    /// Addresses of simulated clouds that accounts may be connected at.
    pub(crate) fn endpoints(&self) -> &[String] {
        &self.inner.endpoints
    }

    pub(crate) fn opened(&self) -> &Mutex<HashMap<CloudAccountId, (i64, Cloud)>> {
        &self.inner.opened
    }
}
