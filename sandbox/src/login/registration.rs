//! New principals with the credentials that belong to them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Vendor;
use super::principals::{Principal, everything};
use crate::world::State;

/// A principal that a test asks for; what is left out is made up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    pub cloud: Vendor,
    /// Google: the project.
    project: Option<String>,
    /// Google: the name of the service account.
    name: Option<String>,
    /// Azure.
    tenant: Option<String>,
    subscription: Option<String>,
    client: Option<String>,
    /// Azure and AWS.
    secret: Option<String>,
    #[serde(default = "everything")]
    allowed: Vec<String>,
    #[serde(default)]
    denied: Vec<String>,
}

impl Registration {
    /// Registers the principal and returns it with its credentials.
    pub fn register(self, state: &mut State) -> Value {
        let (principal, credentials) = match self.cloud {
            Vendor::Google => self.google(state),
            Vendor::Azure => self.azure(),
            Vendor::Aws => self.aws(),
        };
        let mut answer = json!(principal);
        if let (Some(answer), Value::Object(credentials)) = (answer.as_object_mut(), credentials) {
            answer.extend(credentials);
        }
        state.principals.put(principal);
        answer
    }

    fn principal(self, id: String, secret: Option<String>, about: &[(&str, &str)]) -> Principal {
        let about: BTreeMap<_, _> = about.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let signs = self.cloud == Vendor::Google;
        Principal { cloud: self.cloud, id, secret, signs, allowed: self.allowed, denied: self.denied, about }
    }

    fn google(self, state: &State) -> (Principal, Value) {
        let project = self.project.clone().unwrap_or_else(|| format!("sandbox-{}", &random()[..6]));
        let email = format!("{}@{project}.iam.gserviceaccount.com", self.name.as_deref().unwrap_or("mikrocloud"));
        let key = json!({
            "type": "service_account",
            "project_id": project,
            "private_key_id": random(),
            "private_key": state.key_pair.as_ref().map(|pair| &pair.private),
            "client_email": email,
            "client_id": crate::google::unique_number(&email),
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": format!("https://www.googleapis.com/robot/v1/metadata/x509/{}", crate::http::encode_path(&email)),
            "universe_domain": "googleapis.com",
        });
        (self.principal(email, None, &[("project", &project)]), json!({"key": key}))
    }

    fn azure(self) -> (Principal, Value) {
        let given = |value: &Option<String>| value.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let (tenant, subscription, client) = (given(&self.tenant), given(&self.subscription), given(&self.client));
        let (object, secret) = (uuid::Uuid::new_v4().to_string(), self.secret.clone().unwrap_or_else(random));
        let about = [("tenant", tenant.as_str()), ("subscription", &subscription), ("client", &client), ("object", &object)];
        let credentials = json!({"secret": secret});
        (self.principal(client.clone(), Some(secret), &about), credentials)
    }

    fn aws(self) -> (Principal, Value) {
        let id = format!("AKIA{}", random()[..16].to_ascii_uppercase());
        let secret = self.secret.clone().unwrap_or_else(|| random() + &random()[..8]);
        let credentials = json!({"secret": secret});
        (self.principal(id, Some(secret), &[("account", "123456789012")]), credentials)
    }
}

/// Changes of what a principal may do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    allowed: Option<Vec<String>>,
    denied: Option<Vec<String>>,
}

impl Grant {
    /// Replaces the lists that are given.
    pub fn apply(self, principal: &mut Principal) {
        if let Some(allowed) = self.allowed {
            principal.allowed = allowed;
        }
        if let Some(denied) = self.denied {
            principal.denied = denied;
        }
    }
}

/// Returns true if a principal of this vendor needs the sandbox's key pair.
pub(crate) fn needs_key_pair(registration: &Registration, state: &State) -> bool {
    registration.cloud == Vendor::Google && state.key_pair.is_none()
}

fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
