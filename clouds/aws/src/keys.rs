//! Keys of hosts in a key-value store: each names the deployment that its host shows.

use clouds_contract::CloudError;
use domain::id::DeploymentId;
use http::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::managed::files::short;
use crate::operations::{KEY_DELETE, KEY_GET, KEY_PUT, KEYS_DESCRIBE, Operation};
use crate::request::Request;

/// The key of a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostKey<'a> {
    pub client: &'a Client,
    /// ARN of the store.
    pub store: &'a str,
    pub host: &'a str,
}

impl HostKey<'_> {
    fn request(&self, operation: Operation, method: Method, key: Option<&str>) -> Result<Request, CloudError> {
        Request::keys(operation, &self.client.account, self.store, method, key)
    }

    /// The deployment that the host shows.
    pub async fn get(&self) -> Result<Option<DeploymentId>, CloudError> {
        let found = self.client.find(self.request(KEY_GET, Method::GET, Some(self.host))?).await?;
        let Some(found) = found else { return Ok(None) };
        let value: Value = serde_json::from_str(found.json()?["Value"].as_str().unwrap_or_default()).unwrap_or_default();
        Ok(value["id"].as_str().and_then(|id| id.parse().ok()))
    }

    /// Entity tag of the store's data; `None` if there is no such store.
    async fn etag(&self) -> Result<Option<String>, CloudError> {
        Ok(self.client.find(self.request(KEYS_DESCRIBE, Method::GET, None)?).await?.map(|answer| answer.etag))
    }

    /// Makes the host show a deployment. Returns false if there is no such store.
    pub async fn put(&self, deployment: DeploymentId) -> Result<bool, CloudError> {
        let Some(etag) = self.etag().await? else { return Ok(false) };
        // The function reads `d` alone; the id is for us.
        let value = json!({"d": short(deployment), "id": deployment.to_string()});
        let body = json!({"Value": value.to_string()}).to_string();
        let request = self.request(KEY_PUT, Method::PUT, Some(self.host))?.with_header("content-type", "application/json");
        self.client.ask(request.if_match(&etag).with_body(body)).await?;
        Ok(true)
    }

    /// Makes the host show nothing; where a deployment is named, only if it shows that one.
    pub async fn clear(&self, only: Option<DeploymentId>) -> Result<(), CloudError> {
        // Read first: what changes from here on makes the removal fail.
        let Some(etag) = self.etag().await? else { return Ok(()) };
        if only.is_some() && self.get().await? != only {
            return Ok(());
        }
        self.client.find(self.request(KEY_DELETE, Method::DELETE, Some(self.host))?.if_match(&etag)).await.map(drop)
    }
}
