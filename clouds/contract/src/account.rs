//! Accounts at a vendor: opened from a stored credential, verified, prepared, and asked for what carries our tags.

use std::fmt;

use async_trait::async_trait;
use domain::cloud::Check;
use domain::id::{BaseId, CloudAccountId};
use domain::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::guard::ServiceHealth;
use crate::{About, Cloud, CloudError, Outputs, Progress, Scope};

/// A vendor of clouds. The binary hands them in.
pub trait Vendor: Send + Sync {
    /// Its name, such as `gcp`.
    fn name(&self) -> &'static str;

    /// Abilities of its cloud.
    fn about(&self) -> &'static About;

    /// Opens an account. Makes no call.
    fn open(&self, access: Access) -> Result<Cloud, CloudError>;
}

/// Everything that opens an account.
#[derive(Debug, Clone)]
pub struct Access {
    /// The account.
    pub account: CloudAccountId,
    /// The vendor's id of it: an account number, a subscription, a project id.
    pub identity: String,
    /// The credential.
    pub credential: Credential,
    /// Another place than the vendor's own, for the sandbox.
    pub endpoint: Option<Endpoint>,
    /// The installation of MikroCloud: 12 hexadecimal digits, in tags and names.
    pub installation: String,
}

/// A credential of an account. It is stored sealed, and cannot be printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Credential {
    /// An access key of AWS.
    AwsKey {
        /// Access key id.
        id: String,
        /// Secret access key.
        secret: Secret,
    },
    /// A role of AWS that an access key may assume.
    AwsRole {
        /// ARN of the role.
        role_arn: String,
        /// External id that the role's trust policy asks for.
        external_id: Secret,
        /// Access key id.
        id: String,
        /// Secret access key.
        secret: Secret,
    },
    /// A client secret of an application in Microsoft Entra ID.
    AzureSecret {
        /// Directory (tenant) id.
        tenant: String,
        /// Application (client) id.
        client: String,
        /// Client secret.
        secret: Secret,
    },
    /// A service account key of Google Cloud, as the JSON file that Google makes.
    GoogleKey {
        /// Content of the file.
        json: Secret,
    },
}

impl Credential {
    /// Name of its kind, such as `google_key`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AwsKey { .. } => "aws_key",
            Self::AwsRole { .. } => "aws_role",
            Self::AzureSecret { .. } => "azure_secret",
            Self::GoogleKey { .. } => "google_key",
        }
    }

    /// Name of the vendor whose credential it is.
    pub fn vendor(&self) -> &'static str {
        match self {
            Self::AwsKey { .. } | Self::AwsRole { .. } => "aws",
            Self::AzureSecret { .. } => "azure",
            Self::GoogleKey { .. } => "gcp",
        }
    }

    /// The text that is sealed and stored. It reads back as the same credential.
    pub fn to_stored(&self) -> Secret {
        let json = match self {
            Self::AwsKey { id, secret } => serde_json::json!({"kind": "aws_key", "id": id, "secret": secret.expose()}),
            Self::AwsRole { role_arn, external_id, id, secret } => serde_json::json!({
                "kind": "aws_role", "role_arn": role_arn, "external_id": external_id.expose(), "id": id, "secret": secret.expose(),
            }),
            Self::AzureSecret { tenant, client, secret } => {
                serde_json::json!({"kind": "azure_secret", "tenant": tenant, "client": client, "secret": secret.expose()})
            }
            Self::GoogleKey { json } => serde_json::json!({"kind": "google_key", "json": json.expose()}),
        };
        Secret::new(json.to_string())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({}, ***)", self.kind())
    }
}

/// Another place than the vendor's own to send requests to: a simulated cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Address, such as `http://127.0.0.1:8090`.
    pub url: String,
    /// Percentage of each wait between two looks: tests do not wait as long as a cloud does. 100 unless said.
    #[serde(default = "full_pace")]
    pub pace_percent: u8,
}

fn full_pace() -> u8 {
    100
}

/// An opened account.
#[async_trait]
pub trait Account: Send + Sync {
    /// Asks who we are and what we may do: one check for each permission that we need.
    async fn verify(&self, region: &str) -> Result<Verification, CloudError>;

    /// Makes a base, or brings it up to date. Its things have the owner [`Owner::Base`](crate::Owner::Base).
    async fn prepare(&self, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress<Outputs>, CloudError>;

    /// Removes a base that nobody uses any more.
    async fn dismantle(&self, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress, CloudError>;

    /// Everything in a region that carries our installation's tag.
    async fn tagged(&self, region: &str) -> Result<Vec<Tagged>, CloudError>;

    /// Services of the vendor that did not answer lately; empty while all is well.
    fn health(&self) -> Vec<ServiceHealth> {
        Vec::new()
    }
}

/// Result of looking at an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The vendor's name of whoever the credential is, such as an ARN or an e-mail address.
    pub principal: String,
    /// One check for each permission.
    pub checks: Vec<Check>,
}

/// A thing in a cloud that carries our installation's tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Its kind, such as `gcp.run.service`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its tags or labels.
    pub tags: Outputs,
}

/// Things of an account that several environments share. They are made with their first user and removed with the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// APIs and providers that have to be switched on.
    Apis,
    /// Things that all sites of an account share in front of them.
    Front,
    /// A place for files.
    Files,
    /// A place for containers.
    Containers,
}

impl Base {
    /// Its name, as stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apis => "apis",
            Self::Front => "front",
            Self::Files => "files",
            Self::Containers => "containers",
        }
    }

    /// The base of a stored name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Apis, Self::Front, Self::Files, Self::Containers].into_iter().find(|base| base.name() == name)
    }
}
