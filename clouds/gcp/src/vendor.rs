use std::sync::Arc;

use clouds_contract::guard::Probe;
use clouds_contract::{About, Access, Cloud, CloudError, Credential, ErrorKind, Vendor};
use clouds_wire::Wire;
use images::Collection;

use crate::about::ABOUT;
use crate::account::GoogleAccount;
use crate::client::Client;
use crate::key::Key;
use crate::login::Login;
use crate::servers::Servers;
use crate::static_site::StaticSites;
use crate::traffic::ServiceTraffic;

/// Name of the cloud.
pub(crate) const NAME: &str = "gcp";

/// Requests per second that a project may make of each service, as their documentation has them per minute.
const RATES: &[(&str, u32)] = &[
    ("run", 40),
    ("secretmanager", 40),
    ("artifactregistry", 40),
    ("iam", 20),
    ("serviceusage", 8),
    ("cloudresourcemanager", 8),
    ("storage", 400),
    ("registry", 200),
    ("oauth2", 20),
];

/// Google Cloud.
#[derive(Clone, Default)]
pub struct Gcp {
    base_images: Collection,
    probe: Option<Arc<dyn Probe>>,
}

impl Gcp {
    /// Google Cloud with the usual base images.
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

impl Vendor for Gcp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn open(&self, access: Access) -> Result<Cloud, CloudError> {
        let Credential::GoogleKey { json } = &access.credential else {
            let message = "an account of Google Cloud is opened with the key of a service account";
            return Err(CloudError::new(ErrorKind::Invalid, "KEY_INVALID", message));
        };
        let wire = Wire::new(access.endpoint.as_ref())?;
        let guards = wire.guards(NAME, RATES, self.probe.clone());
        let client = Arc::new(Client {
            login: Login::new(Key::read(json)?, wire.clone(), Arc::clone(&guards)),
            wire,
            guards,
            project: checked(&access.identity)?,
            installation: access.installation,
            base_images: self.base_images.clone(),
        });
        Ok(Cloud {
            name: NAME,
            about: &ABOUT,
            account: Some(Arc::new(GoogleAccount::new(Arc::clone(&client)))),
            static_sites: Some(Arc::new(StaticSites::new(Arc::clone(&client)))),
            servers: Some(Arc::new(Servers::new(Arc::clone(&client)))),
            functions: None,
            builds: None,
            traffic: Arc::new(ServiceTraffic::new(client)),
            labels: None,
        })
    }
}

/// A project's id, which becomes part of addresses (cloud.google.com/resource-manager/docs/creating-managing-projects).
fn checked(project: &str) -> Result<String, CloudError> {
    let is_id = (6..=30).contains(&project.len())
        && project.starts_with(|first: char| first.is_ascii_lowercase())
        && project.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if is_id {
        return Ok(project.to_owned());
    }
    let message =
        format!("`{project}` is no id of a project: give the id (small letters, digits and hyphens), not its name or number");
    Err(CloudError::new(ErrorKind::Invalid, "PROJECT_INVALID", message))
}
