use std::sync::Arc;

use clouds_contract::guard::Probe;
use clouds_contract::{About, Access, Cloud, CloudError, Credential, ErrorKind, Vendor};
use clouds_wire::Wire;
use images::Collection;
use uuid::Uuid;

use crate::about::ABOUT;
use crate::account::AzureAccount;
use crate::arm::Arm;
use crate::login::{ClientSecret, Login};
use crate::servers::Servers;
use crate::sites::Sites;
use crate::traffic::Switch;

/// Name of the cloud.
pub(crate) const NAME: &str = "azure";

/// Requests per second to each service, well below the 25 that a subscription is given for all of them together and those of storage and
/// registries (learn.microsoft.com, "Understand how Azure Resource Manager throttles requests").
const RATES: &[(&str, u32)] = &[
    ("Microsoft.App", 10),
    ("Microsoft.Authorization", 5),
    ("Microsoft.ContainerRegistry", 5),
    ("Microsoft.ManagedIdentity", 5),
    ("Microsoft.OperationalInsights", 5),
    ("Microsoft.Resources", 10),
    ("Microsoft.Storage", 5),
    ("operations", 10),
    ("blob", 200),
    ("registry", 200),
    ("login", 10),
];

/// Azure.
#[derive(Clone, Default)]
pub struct Azure {
    base_images: Collection,
    probe: Option<Arc<dyn Probe>>,
}

impl Azure {
    /// Azure with the usual base images.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with base images of another registry, such as `mirror.example.com/library`.
    #[must_use]
    pub fn with_base_images(self, place: &str) -> Self {
        Self { base_images: Collection::at(place), ..self }
    }

    /// The same with a probe around each call, for tests.
    #[must_use]
    pub fn with_probe(self, probe: Arc<dyn Probe>) -> Self {
        Self { probe: Some(probe), ..self }
    }
}

impl Vendor for Azure {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn open(&self, access: Access) -> Result<Cloud, CloudError> {
        let Credential::AzureSecret { tenant, client, secret } = &access.credential else {
            let message = "a subscription of Azure is opened with the secret of an application";
            return Err(CloudError::new(ErrorKind::Invalid, "SECRET_INVALID", message));
        };
        let wire = Wire::new(access.endpoint.as_ref())?;
        let guards = wire.guards(NAME, RATES, self.probe.clone());
        let credential =
            ClientSecret { tenant: guid("tenant", tenant)?, client: guid("client", client)?, secret: secret.clone() };
        let login = Arc::new(Login::new(wire.clone(), Arc::clone(&guards), credential));
        let arm = Arc::new(Arm::new(wire, guards, login, guid("subscription", &access.identity)?));
        let sites = Arc::new(Sites { arm: Arc::clone(&arm) });
        let bases = self.base_images.clone();
        Ok(Cloud {
            name: NAME,
            about: &ABOUT,
            account: Some(Arc::new(AzureAccount { arm: Arc::clone(&arm), installation: access.installation })),
            static_sites: Some(Arc::clone(&sites) as _),
            servers: Some(Arc::new(Servers { arm: Arc::clone(&arm), bases })),
            functions: None,
            builds: None,
            traffic: Arc::new(Switch { arm, sites }),
            labels: None,
        })
    }
}

/// An id of Azure, which becomes part of addresses.
fn guid(name: &str, text: &str) -> Result<String, CloudError> {
    let parsed: Result<Uuid, _> = text.trim().parse();
    parsed.map(|id| id.to_string()).map_err(|_| {
        let message =
            format!("`{text}` is no {name} id: give it as 00000000-0000-0000-0000-000000000000, as the portal shows it");
        CloudError::new(ErrorKind::Invalid, "ID_INVALID", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_guids() {
        assert_eq!(guid("tenant", " 6B29FC40-CA47-1067-B31D-00DD010662DA").unwrap(), "6b29fc40-ca47-1067-b31d-00dd010662da");
        for bad in ["", "../x", "my-subscription"] {
            assert!(guid("subscription", bad).unwrap_err().message.contains("subscription id"), "{bad}");
        }
    }
}
