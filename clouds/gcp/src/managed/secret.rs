use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner};
use domain::secret::Secret;
use http::Method;
use serde_json::{Value, json};

use super::{done, unchanging, until_known};
use crate::client::{Body, Client, address, there};
use crate::operations::{
    SECRET_CREATE, SECRET_DELETE, SECRET_GET, SECRET_POLICY_GET, SECRET_POLICY_SET, SECRET_VERSION_ADD, SECRET_VERSION_LIST,
};

/// Kind of a secret.
pub(crate) const KIND: &str = "gcp.secretmanager.secret";

/// Role that reads a secret.
const READER: &str = "roles/secretmanager.secretAccessor";

/// A variable of one deployment, which its service account may read. It has one version.
pub(crate) struct SecretThing<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    /// Name of the variable.
    pub variable: String,
    /// Description of it; nothing to remove it.
    pub content: Option<Content>,
}

/// Content of a secret.
pub(crate) struct Content {
    pub value: Secret,
    /// E-mail address of the service account that may read it.
    pub reader: String,
    pub labels: Value,
}

impl SecretThing<'_> {
    fn path(&self, entry: &Entry) -> String {
        format!("v1/projects/{}/secrets/{}", self.client.project, entry.name)
    }

    async fn version(&self, entry: &Entry) -> Result<Option<String>, CloudError> {
        let url = address("secretmanager", &format!("{}/versions", self.path(entry)), &[])?;
        let versions = self.client.list(SECRET_VERSION_LIST, url, "versions").await?;
        let enabled = versions.iter().find(|version| version["state"] == json!("ENABLED"));
        Ok(enabled.and_then(|version| version["name"].as_str()?.rsplit('/').next()).map(str::to_owned))
    }

    async fn policy(&self, entry: &Entry) -> Result<Value, CloudError> {
        let url = address("secretmanager", &format!("{}:getIamPolicy", self.path(entry)), &[])?;
        self.client.ask(SECRET_POLICY_GET, Method::GET, url, Body::None).await
    }

    fn content(&self) -> Result<&Content, CloudError> {
        self.content.as_ref().ok_or_else(|| unchanging("a variable without a value"))
    }
}

fn member(email: &str) -> String {
    format!("serviceAccount:{email}")
}

fn may_read(policy: &Value, email: &str) -> bool {
    let bindings = policy["bindings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let member = json!(member(email));
    bindings.iter().any(|binding| {
        binding["role"] == json!(READER) && binding["members"].as_array().is_some_and(|members| members.contains(&member))
    })
}

#[async_trait]
impl Managed for SecretThing<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: self.variable.clone(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        format!("the secret for the variable {}", self.variable)
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(secret) = self.client.find(SECRET_GET, address("secretmanager", &self.path(entry), &[])?).await? else {
            return Ok(None);
        };
        let owner = self.client.owner(&secret["labels"]);
        let Some(content) = &self.content else { return Ok(Some(there(&entry.name, owner, true, entry.outputs.clone()))) };
        let version = self.version(entry).await?;
        let is_open = version.is_some() && may_read(&self.policy(entry).await?, &content.reader);
        let outputs = version.clone().map(|version| Outputs::from([("version".to_owned(), version)])).unwrap_or_default();
        Ok(Some(there(&entry.name, owner, is_open, outputs)))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let url =
            address("secretmanager", &format!("v1/projects/{}/secrets", self.client.project), &[("secretId", &entry.name)])?;
        let body = json!({"replication": {"automatic": {}}, "labels": self.content()?.labels});
        self.client.ask(SECRET_CREATE, Method::POST, url, Body::Json(body)).await?;
        Ok(done(&entry.name))
    }

    /// Adds what is missing: the version, then the right to read it.
    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let content = self.content()?;
        if !found.outputs.contains_key("version") {
            let url = address("secretmanager", &format!("{}:addVersion", self.path(entry)), &[])?;
            let body = json!({"payload": {"data": STANDARD.encode(content.value.expose())}});
            self.client.ask(SECRET_VERSION_ADD, Method::POST, url, Body::Json(body)).await?;
        }
        let mut policy = self.policy(entry).await?;
        if !may_read(&policy, &content.reader) {
            // Read, changed and written back: its etag lets nobody's change get lost.
            let binding = json!({"role": READER, "members": [member(&content.reader)]});
            match policy["bindings"].as_array_mut() {
                Some(bindings) => bindings.push(binding),
                None => policy["bindings"] = json!([binding]),
            }
            let url = address("secretmanager", &format!("{}:setIamPolicy", self.path(entry)), &[])?;
            let body = Body::Json(json!({"policy": policy}));
            self.client.ask(SECRET_POLICY_SET, Method::POST, url, body).await.map_err(until_known)?;
        }
        Ok(done(&entry.name))
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        let url = address("secretmanager", &self.path(entry), &[])?;
        self.client.ask(SECRET_DELETE, Method::DELETE, url, Body::None).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
