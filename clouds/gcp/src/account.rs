use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::guard::ServiceHealth;
use clouds_contract::{Account, Base, CloudError, INSTALLATION_TAG, Outputs, Progress, Scope, Tagged, Verification};
use domain::id::BaseId;
use serde_json::Value;

use crate::base::{dismantle, prepare};
use crate::client::{Client, address};
use crate::managed::{account, bucket, repository, secret, service};
use crate::operations::{ACCOUNT_LIST, BUCKET_LIST, Operation, REPOSITORY_LIST, SECRET_LIST, SERVICE_LIST};
use crate::service::short;
use crate::verify::verify;

/// An opened account: a project, with the key of a service account.
pub(crate) struct GoogleAccount {
    client: Arc<Client>,
}

impl GoogleAccount {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// Things of a list that carry our installation's label.
    async fn labelled(
        &self,
        kind: &str,
        operation: Operation,
        (host, path): (&str, &str),
        field: &str,
    ) -> Result<Vec<Tagged>, CloudError> {
        let all = self.client.list(operation, address(host, path, &[])?, field).await?;
        Ok(self.ours(kind, &all))
    }

    /// Those of some things that carry our installation's label.
    fn ours(&self, kind: &str, all: &[Value]) -> Vec<Tagged> {
        let ours = all.iter().filter(|thing| thing["labels"][INSTALLATION_TAG] == self.client.installation.as_str());
        let tagged = ours.map(|thing| Tagged {
            kind: kind.to_owned(),
            name: short(thing["name"].as_str().unwrap_or_default()).to_owned(),
            tags: serde_json::from_value(thing["labels"].clone()).unwrap_or_default(),
        });
        tagged.collect()
    }

    async fn service_accounts(&self) -> Result<Vec<Tagged>, CloudError> {
        let path = format!("v1/projects/{}/serviceAccounts", self.client.project);
        let all = self.client.list(ACCOUNT_LIST, address("iam", &path, &[])?, "accounts").await?;
        let ours = format!("{INSTALLATION_TAG}={}", self.client.installation);
        let ours = all.iter().filter(|account| account["description"] == ours.as_str());
        let tags = Outputs::from([(INSTALLATION_TAG.to_owned(), self.client.installation.clone())]);
        let tagged = ours.map(|account| Tagged {
            kind: account::KIND.to_owned(),
            name: account["email"].as_str().unwrap_or_default().to_owned(),
            tags: tags.clone(),
        });
        Ok(tagged.collect())
    }
}

#[async_trait]
impl Account for GoogleAccount {
    async fn verify(&self, _region: &str) -> Result<Verification, CloudError> {
        verify(&self.client).await
    }

    async fn prepare(&self, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress<Outputs>, CloudError> {
        prepare(&self.client, base, id, scope).await
    }

    async fn dismantle(&self, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        dismantle(&self.client, base, id, scope).await
    }

    async fn tagged(&self, region: &str) -> Result<Vec<Tagged>, CloudError> {
        let (location, project) = (self.client.location(region), &self.client.project);
        let services = format!("v2/{location}/services");
        let repositories = format!("v1/{location}/repositories");
        let secrets = format!("v1/projects/{project}/secrets");
        let mut all = self.labelled(service::KIND, SERVICE_LIST, ("run", &services), "services").await?;
        all.extend(self.labelled(repository::KIND, REPOSITORY_LIST, ("artifactregistry", &repositories), "repositories").await?);
        all.extend(self.labelled(secret::KIND, SECRET_LIST, ("secretmanager", &secrets), "secrets").await?);
        all.extend(self.service_accounts().await?);
        let query = [("project", project.as_str())];
        let buckets = self.client.list(BUCKET_LIST, address("storage", "storage/v1/b", &query)?, "items").await?;
        all.extend(self.ours(bucket::KIND, &buckets));
        Ok(all)
    }

    fn health(&self) -> Vec<ServiceHealth> {
        self.client.guards.health()
    }
}
