use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, FoundState, Key, Managed, Naming, Operation, Outputs, Owner};
use serde_json::json;

use super::{container_tags, done, installation, there, unchanging};
use crate::client::Client;
use crate::operations::{CLUSTER_CREATE, CLUSTER_DELETE, CLUSTER_GET};
use crate::request::ECS;

/// Kind of a cluster.
pub(crate) const KIND: &str = "aws.ecs.cluster";

/// Pause while it is being made.
const POLL: Duration = Duration::from_secs(2);

/// A cluster of ECS: a name for services on Fargate, which costs nothing.
pub(crate) struct Cluster<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Its tags; nothing to remove it.
    pub tags: Option<Outputs>,
}

#[async_trait]
impl Managed for Cluster<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "servers".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the ECS cluster".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let body = json!({"clusters": [entry.name], "include": ["TAGS"]});
        let answer = self.client.json(CLUSTER_GET, ECS, self.region, body).await?;
        let cluster = &answer["clusters"][0];
        let state = match cluster["status"].as_str() {
            Some("ACTIVE") => FoundState::Ready,
            Some("FAILED") => FoundState::Failed {
                code: "CLUSTER_FAILED",
                message: "AWS could not make the ECS cluster: deploy again".to_owned(),
            },
            // Clusters that were removed are seen for a while.
            None | Some("INACTIVE") => return Ok(None),
            Some("DEPROVISIONING") => FoundState::Going(self.client.wait("ECS to remove the cluster", POLL)),
            Some(_) => FoundState::Making(self.client.wait("ECS to make the cluster", POLL)),
        };
        let owner = self.client.owner(installation(cluster));
        let arn = cluster["clusterArn"].as_str().unwrap_or_default();
        Ok(Some(Found { state, ..there(arn, owner, true, entry.outputs.clone()) }))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let tags = container_tags(self.tags.iter().flatten());
        let body = json!({"clusterName": entry.name, "tags": tags, "capacityProviders": ["FARGATE"]});
        let made = self.client.json(CLUSTER_CREATE, ECS, self.region, body).await?;
        Ok(done(made["cluster"]["clusterArn"].as_str().unwrap_or_default()))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a cluster"))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        self.client.json(CLUSTER_DELETE, ECS, self.region, json!({"cluster": found.id})).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
