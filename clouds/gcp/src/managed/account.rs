use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, Followed, Found, INSTALLATION_TAG, Key, Managed, Naming, Operation, Outputs, Owner, Ownership,
};
use http::Method;
use serde_json::json;

use super::{done, unchanging};
use crate::client::{Body, Client, address, there};
use crate::operations::{ACCOUNT_CREATE, ACCOUNT_DELETE, ACCOUNT_GET};

/// Kind of a service account.
pub(crate) const KIND: &str = "gcp.iam.service-account";

/// A service account that workloads run as. It has no labels: its description names the installation.
pub(crate) struct ServiceAccount<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    /// Part that it plays, such as `run`.
    pub purpose: String,
}

impl ServiceAccount<'_> {
    fn email(&self, entry: &Entry) -> String {
        format!("{}@{}.iam.gserviceaccount.com", entry.name, self.client.project)
    }

    fn description(&self) -> String {
        format!("{INSTALLATION_TAG}={}", self.client.installation)
    }
}

#[async_trait]
impl Managed for ServiceAccount<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: self.purpose.clone(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(30)
    }

    fn title(&self) -> String {
        "the service account of deployed programs".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let email = self.email(entry);
        let url = address("iam", &format!("v1/projects/{}/serviceAccounts/{email}", self.client.project), &[])?;
        let Some(account) = self.client.find(ACCOUNT_GET, url).await? else { return Ok(None) };
        let description = account["description"].as_str().unwrap_or_default();
        let owner = match description.strip_prefix(&format!("{INSTALLATION_TAG}=")) {
            Some(installation) if installation == self.client.installation => Ownership::Ours,
            Some(other) => Ownership::Others(format!("the installation {other}")),
            None => Ownership::Untagged,
        };
        Ok(Some(there(&email, owner, true, Outputs::from([("email".to_owned(), email.clone())]))))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let url = address("iam", &format!("v1/projects/{}/serviceAccounts", self.client.project), &[])?;
        let account = json!({"displayName": "MikroCloud: deployed programs", "description": self.description()});
        let body = json!({"accountId": entry.name, "serviceAccount": account});
        self.client.ask(ACCOUNT_CREATE, Method::POST, url, Body::Json(body)).await?;
        Ok(done(self.email(entry)))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a service account"))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let url = address("iam", &format!("v1/projects/{}/serviceAccounts/{}", self.client.project, found.id), &[])?;
        self.client.ask(ACCOUNT_DELETE, Method::DELETE, url, Body::None).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
