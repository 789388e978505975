use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, Followed, Found, INSTALLATION_TAG, Key, Managed, Naming, Operation, Outputs, Owner, Ownership,
};
use serde_json::json;

use super::{done, there};
use crate::client::Client;
use crate::operations::{LOGS_CREATE, LOGS_DELETE, LOGS_KEEP, LOGS_LIST, LOGS_TAGS};
use crate::request::LOGS;

/// Kind of a log group.
pub(crate) const KIND: &str = "aws.logs.log-group";

/// Days for which lines are kept.
const DAYS: u64 = 30;

/// The log group of an environment's tasks.
pub(crate) struct LogGroup<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Its tags; nothing to remove it.
    pub tags: Option<Outputs>,
}

#[async_trait]
impl Managed for LogGroup<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "logs".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the log group".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let body = json!({"logGroupNamePrefix": entry.name});
        let answer = self.client.json(LOGS_LIST, LOGS, self.region, body).await?;
        let mut groups = answer["logGroups"].as_array().into_iter().flatten();
        let Some(group) = groups.find(|group| group["logGroupName"] == entry.name.as_str()) else { return Ok(None) };
        let owner = if entry.external_id.is_some() {
            Ownership::Ours
        } else {
            let arn = format!("arn:aws:logs:{}:{}:log-group:{}", self.region, self.client.account, entry.name);
            let tagged = self.client.json(LOGS_TAGS, LOGS, self.region, json!({"resourceArn": arn})).await?;
            self.client.owner(tagged["tags"][INSTALLATION_TAG].as_str())
        };
        let is_current = self.tags.is_none() || group["retentionInDays"].as_u64() == Some(DAYS);
        Ok(Some(there(&entry.name, owner, is_current, entry.outputs.clone())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let body = json!({"logGroupName": entry.name, "tags": self.tags});
        self.client.json(LOGS_CREATE, LOGS, self.region, body).await?;
        Ok(done(&entry.name))
    }

    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let body = json!({"logGroupName": entry.name, "retentionInDays": DAYS});
        self.client.json(LOGS_KEEP, LOGS, self.region, body).await?;
        Ok(done(&found.id))
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        self.client.json(LOGS_DELETE, LOGS, self.region, json!({"logGroupName": entry.name})).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
