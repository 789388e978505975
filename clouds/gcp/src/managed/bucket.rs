use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, ErrorKind, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner, Ownership,
};
use http::Method;
use serde_json::{Value, json};

use super::{done, until_known};
use crate::client::{Body, Client, address, has_labels, there};
use crate::operations::{BUCKET_CREATE, BUCKET_DELETE, BUCKET_GET, BUCKET_POLICY_GET, BUCKET_POLICY_SET, BUCKET_UPDATE};

/// Kind of a bucket.
pub(crate) const KIND: &str = "gcp.storage.bucket";

/// Role that reads the objects of a bucket.
const READER: &str = "roles/storage.objectViewer";

/// A private bucket, which one service account may read.
pub(crate) struct Bucket<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: String,
    pub labels: Value,
    /// E-mail address of the service account that may read it; nobody to remove it.
    pub reader: Option<String>,
}

impl Bucket<'_> {
    async fn policy(&self, name: &str) -> Result<Value, CloudError> {
        let url = address("storage", &format!("storage/v1/b/{name}/iam"), &[])?;
        self.client.ask(BUCKET_POLICY_GET, Method::GET, url, Body::None).await
    }

    fn member(&self) -> Option<String> {
        self.reader.as_ref().map(|email| format!("serviceAccount:{email}"))
    }

    fn is_open(&self, policy: &Value) -> bool {
        let bindings = policy["bindings"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(member) = self.member().map(Value::from) else { return true };
        bindings.iter().any(|binding| {
            binding["role"] == json!(READER) && binding["members"].as_array().is_some_and(|members| members.contains(&member))
        })
    }
}

#[async_trait]
impl Managed for Bucket<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "files".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        // Names of buckets are the world's (cloud.google.com/storage/docs/buckets#naming).
        Naming { is_global: true, ..Naming::hyphens(63) }
    }

    fn title(&self) -> String {
        "the bucket for files".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let url = address("storage", &format!("storage/v1/b/{}", entry.name), &[])?;
        let bucket = match self.client.find(BUCKET_GET, url).await {
            Ok(Some(bucket)) => bucket,
            Ok(None) => return Ok(None),
            // A stranger's bucket is not shown: who may not see it does not own it. Our own we may see, or else say so.
            Err(error) if error.kind == ErrorKind::Denied && entry.external_id.is_none() => {
                let owner = Ownership::Others("somebody else".to_owned());
                return Ok(Some(there(&entry.name, owner, true, Outputs::new())));
            }
            Err(error) => return Err(error),
        };
        let labels = &bucket["labels"];
        let is_current =
            self.reader.is_none() || (has_labels(labels, &self.labels) && self.is_open(&self.policy(&entry.name).await?));
        Ok(Some(there(&entry.name, self.client.owner(labels), is_current, Outputs::new())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let url = address("storage", "storage/v1/b", &[("project", &self.client.project)])?;
        let body = json!({
            "name": entry.name,
            "location": self.region,
            "labels": self.labels,
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}, "publicAccessPrevention": "enforced"},
            // What is removed is gone: it can be built again.
            "softDeletePolicy": {"retentionDurationSeconds": "0"},
        });
        self.client.ask(BUCKET_CREATE, Method::POST, url, Body::Json(body)).await?;
        Ok(done(&entry.name))
    }

    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let url = address("storage", &format!("storage/v1/b/{}", entry.name), &[])?;
        self.client.ask(BUCKET_UPDATE, Method::PATCH, url, Body::Json(json!({"labels": self.labels}))).await?;
        let mut policy = self.policy(&entry.name).await?;
        if !self.is_open(&policy)
            && let Some(member) = self.member()
        {
            // Read, changed and written back: its etag lets nobody's change get lost.
            let binding = json!({"role": READER, "members": [member]});
            match policy["bindings"].as_array_mut() {
                Some(bindings) => bindings.push(binding),
                None => policy["bindings"] = json!([binding]),
            }
            let url = address("storage", &format!("storage/v1/b/{}/iam", entry.name), &[])?;
            self.client.ask(BUCKET_POLICY_SET, Method::PUT, url, Body::Json(policy)).await.map_err(until_known)?;
        }
        Ok(done(&found.id))
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        super::files::empty(self.client, &entry.name, "").await?;
        let url = address("storage", &format!("storage/v1/b/{}", entry.name), &[])?;
        self.client.ask(BUCKET_DELETE, Method::DELETE, url, Body::None).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
