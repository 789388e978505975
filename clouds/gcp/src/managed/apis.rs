use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner, Ownership};
use http::Method;
use serde_json::json;

use super::{begun, unchanging};
use crate::client::{Body, Client, address, there};
use crate::operations::{APIS_ENABLE, APIS_GET};

/// Kind of the enabled APIs.
pub(crate) const KIND: &str = "gcp.apis";

/// APIs that are used.
const APIS: [&str; 6] = ["artifactregistry", "cloudresourcemanager", "iam", "run", "secretmanager", "storage"];

/// The APIs of a project. They are never disabled: others may use them.
pub(crate) struct Apis<'a> {
    pub client: &'a Client,
    pub owner: Owner,
}

#[async_trait]
impl Managed for Apis<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "all".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the APIs of the project".to_owned()
    }

    /// All of them together: found once each is enabled.
    async fn find(&self, _entry: &Entry) -> Result<Option<Found>, CloudError> {
        let parent = format!("projects/{}", self.client.project);
        let names: Vec<_> = APIS.iter().map(|api| format!("{parent}/services/{api}.googleapis.com")).collect();
        let query: Vec<_> = names.iter().map(|name| ("names", name.as_str())).collect();
        let url = address("serviceusage", &format!("v1/{parent}/services:batchGet"), &query)?;
        let answer = self.client.ask(APIS_GET, Method::GET, url, Body::None).await?;
        let services = answer["services"].as_array().map(Vec::as_slice).unwrap_or_default();
        let enabled = services.iter().filter(|service| service["state"] == "ENABLED").count();
        Ok((enabled == APIS.len()).then(|| there(parent, Ownership::Ours, true, Outputs::new())))
    }

    async fn create(&self, _entry: &Entry) -> Result<Asked, CloudError> {
        let url = address("serviceusage", &format!("v1/projects/{}/services:batchEnable", self.client.project), &[])?;
        let ids: Vec<_> = APIS.iter().map(|api| format!("{api}.googleapis.com")).collect();
        let answer = self.client.ask(APIS_ENABLE, Method::POST, url, Body::Json(json!({"serviceIds": ids}))).await?;
        Ok(begun(None, self.client.operation("serviceusage", "v1", &answer)?, self.client.poll()))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("an API"))
    }

    async fn delete(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("an API"))
    }

    async fn follow(&self, operation: &Operation) -> Result<Followed, CloudError> {
        self.client.follow(operation, "Google to enable the APIs").await
    }
}
