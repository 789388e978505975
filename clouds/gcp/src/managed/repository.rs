use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner};
use http::Method;
use serde_json::{Value, json};

use super::{begun, done};
use crate::client::{Body, Client, address, has_labels, registry_host, there};
use crate::operations::{REPOSITORY_CREATE, REPOSITORY_DELETE, REPOSITORY_GET, REPOSITORY_UPDATE};

/// Kind of a repository.
pub(crate) const KIND: &str = "gcp.artifactregistry.repository";

/// A repository of container images.
pub(crate) struct Repository<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: String,
    pub labels: Value,
}

impl Repository<'_> {
    fn path(&self, entry: &Entry) -> String {
        format!("{}/repositories/{}", self.client.location(&self.region), entry.name)
    }

    fn body(&self) -> Value {
        json!({"format": "DOCKER", "description": "Images of deployments by MikroCloud", "labels": self.labels})
    }
}

#[async_trait]
impl Managed for Repository<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "images".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the repository of images".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let path = self.path(entry);
        let Some(found) = self.client.find(REPOSITORY_GET, address("artifactregistry", &format!("v1/{path}"), &[])?).await?
        else {
            return Ok(None);
        };
        let images = format!("{}/{}/{}", registry_host(&self.region), self.client.project, entry.name);
        let outputs = Outputs::from([("images".to_owned(), images)]);
        let labels = &found["labels"];
        Ok(Some(there(path, self.client.owner(labels), has_labels(labels, &self.labels), outputs)))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let path = format!("v1/{}/repositories", self.client.location(&self.region));
        let url = address("artifactregistry", &path, &[("repositoryId", &entry.name)])?;
        let answer = self.client.ask(REPOSITORY_CREATE, Method::POST, url, Body::Json(self.body())).await?;
        let operation = self.client.operation("artifactregistry", "v1", &answer)?;
        Ok(begun(Some(self.path(entry)), operation, self.client.poll()))
    }

    async fn update(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let url = address("artifactregistry", &format!("v1/{}", found.id), &[("updateMask", "labels")])?;
        self.client.ask(REPOSITORY_UPDATE, Method::PATCH, url, Body::Json(self.body())).await?;
        Ok(done(&found.id))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let url = address("artifactregistry", &format!("v1/{}", found.id), &[])?;
        let answer = self.client.ask(REPOSITORY_DELETE, Method::DELETE, url, Body::None).await?;
        Ok(begun(None, self.client.operation("artifactregistry", "v1", &answer)?, self.client.poll()))
    }

    async fn follow(&self, operation: &Operation) -> Result<Followed, CloudError> {
        self.client.follow(operation, "Artifact Registry to prepare the repository").await
    }
}
