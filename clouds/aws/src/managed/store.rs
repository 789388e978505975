use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, FoundState, Key, Managed, Naming, Operation, Outputs, Owner};
use http::Method;

use super::{done, there, unchanging};
use crate::client::Client;
use crate::operations::{STORE_CREATE, STORE_DELETE, STORE_GET};
use crate::request::Request;
use crate::xml::Element;

/// Kind of a key-value store.
pub(crate) const KIND: &str = "aws.cloudfront.key-value-store";

/// Output: its ARN.
pub(crate) const ARN: &str = "arn";

/// Pause while it is provisioned.
const POLL: Duration = Duration::from_secs(3);

/// A key-value store of CloudFront. It has no tags: its comment names the installation.
pub(crate) struct Store<'a> {
    pub client: &'a Client,
    pub owner: Owner,
}

#[async_trait]
impl Managed for Store<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "hosts".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(64)
    }

    fn title(&self) -> String {
        "the key-value store of CloudFront".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let request = Request::cloudfront(STORE_GET, Method::GET, &format!("key-value-store/{}", entry.name))?;
        let Some(answer) = self.client.find(request).await? else { return Ok(None) };
        let store = answer.xml()?;
        let owner = self.client.owner_by_mark(store.text_at("Comment"));
        let outputs = Outputs::from([(ARN.to_owned(), store.text_at("ARN").to_owned())]);
        let state = match store.text_at("Status") {
            "READY" => FoundState::Ready,
            _ => FoundState::Making(self.client.wait("CloudFront to make the key-value store", POLL)),
        };
        Ok(Some(Found { state, version: Some(answer.etag), ..there(&entry.name, owner, true, outputs) }))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let fields = [Element::text("Name", &entry.name), Element::text("Comment", self.client.mark())];
        let document = Element::with("CreateKeyValueStoreRequest", fields);
        let request = Request::cloudfront(STORE_CREATE, Method::POST, "key-value-store")?.with_document(&document);
        self.client.ask(request).await?;
        Ok(done(&entry.name))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a key-value store"))
    }

    async fn delete(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let path = format!("key-value-store/{}", entry.name);
        let request = Request::cloudfront(STORE_DELETE, Method::DELETE, &path)?;
        self.client.ask(request.if_match(found.version.as_deref().unwrap_or_default())).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
