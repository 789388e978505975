use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clouds_contract::{
    Asked, CloudError, Entry, ErrorKind, Followed, Found, Key, Managed, Naming, Operation, Owner, Ownership, Progress, Scope,
    ensure,
};
use clouds_site::content::content_type;
use futures::{StreamExt as _, TryStreamExt as _};
use http::Method;
use serde_json::Value;

use super::{done, unchanging};
use crate::client::{Body, Client, address, there};
use crate::operations::{OBJECT_DELETE, OBJECT_GET, OBJECT_LIST, OBJECT_PUT};

/// Kind of a deployment's files.
pub(crate) const KIND: &str = "gcp.storage.files";

/// Output of an entry: the bucket that the files go to, known before they are there.
const BUCKET: &str = "bucket";

/// Transfers at once.
const AT_ONCE: usize = 8;

/// Slowest transfer of a file that is waited for, bytes per second.
const SLOWEST: u64 = 128 * 1024;

/// The files of a site in a bucket.
pub(crate) struct Files<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub tag: String,
    /// Their content; nothing to remove them.
    pub source: Option<Source>,
}

/// The files of a site, and the configuration of the server that shows them.
pub(crate) struct Source {
    pub root: PathBuf,
    /// Paths of the files, relative to the root.
    pub files: Vec<String>,
    /// Name and text of the configuration. It is sent last: where it is, everything is.
    pub configuration: (&'static str, String),
}

/// Directory of a deployment's files in a bucket.
pub(crate) fn directory(tag: &str) -> String {
    format!("sites/{tag}")
}

/// Makes files exist. Their bucket is written down before the first one, so that what an interrupted upload left is found.
pub(crate) async fn ensure_files(thing: &Files<'_>, scope: &Scope<'_>, bucket: &str) -> Result<Progress, CloudError> {
    let entry = scope.journal.open(&thing.key(), thing.naming()).await?;
    if !entry.outputs.contains_key(BUCKET) {
        scope.journal.save(&Entry { outputs: [(BUCKET.to_owned(), bucket.to_owned())].into(), ..entry }).await?;
    }
    Ok(ensure(thing, scope).await?.map(drop))
}

fn object(bucket: &str, name: &str) -> Result<url::Url, CloudError> {
    // Slashes of an object's name are no parts of the path.
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    address("storage", &format!("storage/v1/b/{bucket}/o/{name}"), &[])
}

async fn list(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<Value>, CloudError> {
    let query = [("prefix", prefix), ("fields", "items(name,size),nextPageToken")];
    client.list(OBJECT_LIST, address("storage", &format!("storage/v1/b/{bucket}/o"), &query)?, "items").await
}

/// Removes all objects of a bucket below a prefix.
pub(super) async fn empty(client: &Client, bucket: &str, prefix: &str) -> Result<(), CloudError> {
    let found = list(client, bucket, prefix).await?;
    let names = found.iter().filter_map(|object| object["name"].as_str());
    let removals = names.map(|name| async move {
        match client.ask(OBJECT_DELETE, Method::DELETE, object(bucket, name)?, Body::None).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    });
    let removals: Vec<_> = removals.collect();
    futures::stream::iter(removals).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
}

impl Files<'_> {
    fn prefix(&self) -> String {
        format!("{}/", directory(&self.tag))
    }

    async fn put(&self, bucket: &str, name: &str, bytes: Bytes) -> Result<(), CloudError> {
        let kind = content_type(name);
        let name = format!("{}{name}", self.prefix());
        let query = [("uploadType", "media"), ("name", name.as_str()), ("ifGenerationMatch", "0")];
        let url = address("storage", &format!("upload/storage/v1/b/{bucket}/o"), &query)?;
        let mut operation = OBJECT_PUT;
        operation.call = operation.call.within(Duration::from_secs(30 + bytes.len() as u64 / SLOWEST));
        match self.client.ask(operation, Method::POST, url, Body::Bytes(bytes, kind)).await {
            // It is there already: a name of one deployment has one content.
            Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
            other => other.map(drop),
        }
    }

    async fn put_file(&self, bucket: &str, root: &Path, name: &str) -> Result<(), CloudError> {
        let read = tokio::fs::read(root.join(name)).await;
        let bytes = read.map_err(|error| CloudError::internal("a file of the site could not be read", error))?;
        self.put(bucket, name, bytes.into()).await
    }

    /// Sends what is missing.
    async fn send(&self, bucket: &str) -> Result<(), CloudError> {
        let Some(Source { root, files, configuration: (name, text) }) = &self.source else {
            return Err(unchanging("a site without files"));
        };
        let prefix = self.prefix();
        let there = list(self.client, bucket, &prefix).await?;
        let there: std::collections::HashSet<_> =
            there.iter().filter_map(|object| object["name"].as_str()?.strip_prefix(&prefix)).collect();
        let missing: Vec<_> =
            files.iter().filter(|file| !there.contains(file.as_str())).map(|file| self.put_file(bucket, root, file)).collect();
        futures::stream::iter(missing).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        self.put(bucket, name, Bytes::from(text.clone())).await
    }
}

#[async_trait]
impl Managed for Files<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "site".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the files of the site".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(bucket) = entry.outputs.get(BUCKET) else { return Ok(None) };
        let prefix = self.prefix();
        let found = |is_current| Some(there(prefix.clone(), Ownership::Ours, is_current, entry.outputs.clone()));
        if let Some(Source { configuration: (name, _), .. }) = &self.source
            && self.client.find(OBJECT_GET, object(bucket, &format!("{prefix}{name}"))?).await?.is_some()
        {
            return Ok(found(true));
        }
        let query = [("prefix", prefix.as_str()), ("maxResults", "1")];
        let url = address("storage", &format!("storage/v1/b/{bucket}/o"), &query)?;
        let listed = self.client.find(OBJECT_LIST, url).await?.unwrap_or_default();
        let is_empty = listed["items"].as_array().is_none_or(Vec::is_empty);
        Ok(if is_empty { None } else { found(false) })
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        self.send(&entry.outputs[BUCKET]).await?;
        Ok(done(self.prefix()))
    }

    async fn update(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        self.send(&entry.outputs[BUCKET]).await?;
        Ok(done(self.prefix()))
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        empty(self.client, &entry.outputs[BUCKET], &self.prefix()).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
