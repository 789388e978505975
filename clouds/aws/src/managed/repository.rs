use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner, Ownership};
use serde_json::json;

use super::{done, installation, resource_tags, there, unchanging};
use crate::answer::found;
use crate::client::Client;
use crate::operations::{REPOSITORY_CREATE, REPOSITORY_DELETE, REPOSITORY_GET, REPOSITORY_TAGS};
use crate::request::ECR;

/// Kind of a repository.
pub(crate) const KIND: &str = "aws.ecr.repository";

/// The repository of an environment's images.
pub(crate) struct Repository<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Its tags; nothing to remove it.
    pub tags: Option<Outputs>,
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
        let body = json!({"repositoryNames": [entry.name]});
        let Some(answer) = found(self.client.json(REPOSITORY_GET, ECR, self.region, body).await)? else { return Ok(None) };
        let Some(arn) = answer["repositories"][0]["repositoryArn"].as_str() else { return Ok(None) };
        let owner = if entry.external_id.is_some() {
            Ownership::Ours
        } else {
            let tagged = self.client.json(REPOSITORY_TAGS, ECR, self.region, json!({"resourceArn": arn})).await?;
            self.client.owner(installation(&tagged))
        };
        Ok(Some(there(&entry.name, owner, true, entry.outputs.clone())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let tags = resource_tags(self.tags.iter().flatten());
        // What a tag names never changes: a tag is a deployment.
        let body = json!({"repositoryName": entry.name, "imageTagMutability": "IMMUTABLE", "tags": tags});
        self.client.json(REPOSITORY_CREATE, ECR, self.region, body).await?;
        Ok(done(&entry.name))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a repository"))
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        let body = json!({"repositoryName": entry.name, "force": true});
        self.client.json(REPOSITORY_DELETE, ECR, self.region, body).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
