use std::sync::Arc;

use clouds_contract::guard::Probe;
use clouds_contract::{About, Access, Cloud, CloudError, ErrorKind, Vendor};
use clouds_wire::Wire;
use images::Collection;

use crate::about::ABOUT;
use crate::account::AwsAccount;
use crate::client::Client;
use crate::login::Login;
use crate::sender::Sender;
use crate::servers::Servers;
use crate::static_site::StaticSites;
use crate::traffic::AwsTraffic;

/// Name of the cloud.
pub(crate) const NAME: &str = "aws";

/// Requests per second that an account may make of each service. AWS publishes few of these numbers: they are well below what it takes.
const RATES: &[(&str, u32)] = &[
    ("cloudfront", 8),
    ("cloudfront-keyvaluestore", 8),
    ("s3", 400),
    ("iam", 10),
    ("sts", 20),
    ("ec2", 20),
    ("ecr", 20),
    ("ecs", 20),
    ("elasticloadbalancing", 10),
    ("logs", 5),
    ("registry", 200),
    ("ssm", 20),
    ("tagging", 5),
];

/// Amazon Web Services.
#[derive(Clone, Default)]
pub struct Aws {
    base_images: Collection,
    probe: Option<Arc<dyn Probe>>,
}

impl Aws {
    /// Amazon Web Services with the usual base images.
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

impl Vendor for Aws {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn open(&self, access: Access) -> Result<Cloud, CloudError> {
        let account = checked(&access.identity)?;
        let wire = Wire::new(access.endpoint.as_ref())?;
        let guards = wire.guards(NAME, RATES, self.probe.clone());
        let sender = Sender { wire };
        let login = Login::new(&access.credential, &access.installation, sender.clone(), Arc::clone(&guards))?;
        let (installation, base_images) = (access.installation, self.base_images.clone());
        let client = Arc::new(Client { sender, guards, login, account, installation, base_images });
        Ok(Cloud {
            name: NAME,
            about: &ABOUT,
            account: Some(Arc::new(AwsAccount::new(Arc::clone(&client)))),
            static_sites: Some(Arc::new(StaticSites::new(Arc::clone(&client)))),
            servers: Some(Arc::new(Servers::new(Arc::clone(&client)))),
            functions: None,
            builds: None,
            traffic: Arc::new(AwsTraffic::new(client)),
            labels: None,
        })
    }
}

/// An account's number, which becomes part of addresses.
fn checked(account: &str) -> Result<String, CloudError> {
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(account.to_owned());
    }
    let message =
        format!("`{account}` is no AWS account: give its number of 12 digits, which `aws sts get-caller-identity` shows");
    Err(CloudError::new(ErrorKind::Invalid, "ACCOUNT_INVALID", message))
}
