use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use bytes::Bytes;
use clouds_contract::{
    Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Owner, Ownership, Progress, Scope, ensure,
};
use clouds_site::plan::{SiteObject, SitePlan};
use domain::id::DeploymentId;
use futures::{StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use super::objects::{Objects, Shown};
use super::{done, there, unchanging};
use crate::client::Client;

/// Kind of a deployment's files.
pub(crate) const KIND: &str = "aws.s3.files";

/// Output of an entry: the bucket that the files go to, known before they are there.
pub(crate) const BUCKET: &str = "bucket";

/// Transfers at once.
const AT_ONCE: usize = 16;

/// Page for what does not exist in a site that has none of its own.
const NOTHING: &str = "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Not found</title>\n<h1>Not found</h1>\n";

/// Longest time for which the page for what does not exist is kept: its place is that of the environment.
const FRESH: &str = "public, max-age=0, must-revalidate";

/// The files of a site in a bucket.
pub(crate) struct Files<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub deployment: DeploymentId,
    pub region: &'a str,
    /// Files to send; nothing to remove them.
    pub source: Option<Source>,
}

/// The files of a site.
pub(crate) struct Source {
    objects: BTreeMap<String, SiteObject>,
    not_found: Option<SiteObject>,
}

impl Source {
    /// The files of a plan.
    pub fn new(plan: SitePlan) -> Self {
        let not_found = plan.not_found.as_ref().and_then(|path| plan.objects.get(path)).cloned();
        Self { objects: plan.objects, not_found }
    }
}

/// Name of a deployment in paths and keys.
pub(crate) fn short(deployment: DeploymentId) -> String {
    let digits = deployment.uuid().simple().to_string();
    format!("d{}", &digits[digits.len() - 12..])
}

/// Key of the page for what does not exist, of a deployment or an environment. Of a deployment it is sent last: where it is, everything is.
pub(crate) fn missing_page(name: &str) -> String {
    format!("missing/{name}.html")
}

/// Makes files exist. Their bucket is written down before the first one, so that what an interrupted upload left is found.
pub(crate) async fn ensure_files(thing: &Files<'_>, scope: &Scope<'_>, bucket: &str) -> Result<Progress, CloudError> {
    let entry = scope.journal.open(&thing.key(), thing.naming()).await?;
    if !entry.outputs.contains_key(BUCKET) {
        scope.journal.save(&Entry { outputs: [(BUCKET.to_owned(), bucket.to_owned())].into(), ..entry }).await?;
    }
    Ok(ensure(thing, scope).await?.map(drop))
}

async fn read(object: &SiteObject) -> Result<Bytes, CloudError> {
    let read = tokio::fs::read(&object.file).await;
    read.map(Bytes::from).map_err(|error| CloudError::internal("a file of the site could not be read", error))
}

impl Files<'_> {
    fn prefix(&self) -> String {
        format!("sites/{}/", short(self.deployment))
    }

    fn page(&self) -> String {
        missing_page(&short(self.deployment))
    }

    fn objects<'b>(&'b self, entry: &'b Entry) -> Option<Objects<'b>> {
        let bucket = entry.outputs.get(BUCKET)?;
        Some(Objects { client: self.client, region: self.region, bucket })
    }

    /// Returns true if everything was sent.
    pub async fn is_sent(&self, entry: &Entry) -> Result<bool, CloudError> {
        match self.objects(entry) {
            Some(objects) => objects.has(&self.page()).await,
            None => Ok(false),
        }
    }

    /// Sends what is missing.
    async fn send(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let (Some(objects), Some(source)) = (self.objects(entry), &self.source) else {
            return Err(unchanging("a site without files"));
        };
        let prefix = self.prefix();
        let present: HashSet<_> = objects.list(&prefix, None).await?.into_iter().collect();
        let missing = source.objects.iter().map(|(path, object)| (format!("{prefix}{path}"), object));
        let missing = missing.filter(|(key, _)| !present.contains(key)).map(|(key, object)| async move {
            let shown = Shown { content_type: &object.content_type, cache_control: object.cache_control };
            objects.put(&key, read(object).await?, &object.digest, shown).await
        });
        let missing: Vec<_> = missing.collect();
        futures::stream::iter(missing).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        let page = match &source.not_found {
            Some(object) => read(object).await?,
            None => Bytes::from_static(NOTHING.as_bytes()),
        };
        let digest = hex::encode(Sha256::digest(&page));
        let shown = Shown { content_type: "text/html; charset=utf-8", cache_control: FRESH };
        objects.put(&self.page(), page, &digest, shown).await?;
        Ok(done(prefix))
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
        let Some(objects) = self.objects(entry) else { return Ok(None) };
        let prefix = self.prefix();
        let found = |is_current| Some(there(&prefix, Ownership::Ours, is_current, entry.outputs.clone()));
        if self.is_sent(entry).await? {
            return Ok(found(true));
        }
        let first = objects.list(&prefix, Some(1)).await?;
        Ok(if first.is_empty() { None } else { found(false) })
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        self.send(entry).await
    }

    async fn update(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        self.send(entry).await
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        let Some(objects) = self.objects(entry) else { return Ok(Asked::default()) };
        // The page first: without it nothing counts as complete.
        objects.delete(&[self.page()]).await?;
        objects.empty(&self.prefix()).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
