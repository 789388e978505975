use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner};
use http::Method;
use sha2::{Digest as _, Sha256};

use super::{done, there};
use crate::answer::Answer;
use crate::client::Client;
use crate::operations::{FUNCTION_CREATE, FUNCTION_DELETE, FUNCTION_GET, FUNCTION_PUBLISH, FUNCTION_UPDATE};
use crate::request::Request;
use crate::xml::Element;

/// Kind of a function on the requests of visitors.
pub(crate) const KIND: &str = "aws.cloudfront.function";

/// Output: its ARN.
pub(crate) const ARN: &str = "arn";

/// Its code.
const CODE: &str = include_str!("../viewer.js");

/// Digits of the code's digest in the comment.
const DIGEST_DIGITS: usize = 16;

/// A function of CloudFront on the requests of visitors. It has no tags: its comment names the installation, and the code that it has.
pub(crate) struct Function<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    /// ARN of the store that it reads; nothing to remove it.
    pub store: Option<String>,
}

impl Function<'_> {
    fn comment(&self) -> String {
        let digest = hex::encode(Sha256::digest(CODE));
        format!("{} code={}", self.client.mark(), &digest[..DIGEST_DIGITS])
    }

    /// The settings of a stage, with the entity tag of the function; `None` if there is no such stage.
    async fn stage(&self, name: &str, stage: &str) -> Result<Option<(Answer, Element)>, CloudError> {
        let path = format!("function/{name}/describe?Stage={stage}");
        let Some(answer) = self.client.find(Request::cloudfront(FUNCTION_GET, Method::GET, &path)?).await? else {
            return Ok(None);
        };
        let summary = answer.xml()?;
        Ok(Some((answer, summary)))
    }

    /// A stage has our code and reads our store.
    fn is_ours(&self, summary: &Element) -> bool {
        let stores = summary.items("FunctionConfig/KeyValueStoreAssociations/Items");
        let reads = |store: &String| stores.iter().any(|item| item.text_at("KeyValueStoreARN") == store);
        summary.text_at("FunctionConfig/Comment") == self.comment() && self.store.as_ref().is_none_or(reads)
    }

    fn document(&self, root: &str, name: Option<&str>) -> Element {
        let store = |arn: &String| Element::with("KeyValueStoreAssociation", [Element::text("KeyValueStoreARN", arn)]);
        let config = [
            Element::text("Comment", self.comment()),
            Element::text("Runtime", "cloudfront-js-2.0"),
            Element::list("KeyValueStoreAssociations", self.store.iter().map(store).collect()),
        ];
        let name = name.map(|name| Element::text("Name", name));
        let fields = [Element::with("FunctionConfig", config), Element::text("FunctionCode", STANDARD.encode(CODE))];
        Element::with(root, name.into_iter().chain(fields))
    }

    async fn publish(&self, name: &str, etag: &str) -> Result<(), CloudError> {
        let request = Request::cloudfront(FUNCTION_PUBLISH, Method::POST, &format!("function/{name}/publish"))?;
        self.client.ask(request.if_match(etag)).await.map(drop)
    }
}

#[async_trait]
impl Managed for Function<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "viewer".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(64)
    }

    fn title(&self) -> String {
        "the function of CloudFront".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some((answer, development)) = self.stage(&entry.name, "DEVELOPMENT").await? else { return Ok(None) };
        let owner = self.client.owner_by_mark(development.text_at("FunctionConfig/Comment"));
        let is_current = self.store.is_none()
            || (self.is_ours(&development)
                && self.stage(&entry.name, "LIVE").await?.is_some_and(|(_, live)| self.is_ours(&live)));
        let arn = development.text_at("FunctionMetadata/FunctionARN").to_owned();
        let outputs = Outputs::from([(ARN.to_owned(), arn)]);
        Ok(Some(Found { version: Some(answer.etag), ..there(&entry.name, owner, is_current, outputs) }))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let document = self.document("CreateFunctionRequest", Some(&entry.name));
        let request = Request::cloudfront(FUNCTION_CREATE, Method::POST, "function")?.with_document(&document);
        let made = self.client.ask(request).await?;
        self.publish(&entry.name, &made.etag).await?;
        Ok(done(&entry.name))
    }

    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let mut etag = found.version.clone().unwrap_or_default();
        let is_there = self.stage(&entry.name, "DEVELOPMENT").await?.is_some_and(|(_, development)| self.is_ours(&development));
        if !is_there {
            let document = self.document("UpdateFunctionRequest", None);
            let request = Request::cloudfront(FUNCTION_UPDATE, Method::PUT, &format!("function/{}", entry.name))?;
            etag = self.client.ask(request.if_match(&etag).with_document(&document)).await?.etag;
        }
        self.publish(&entry.name, &etag).await?;
        Ok(done(&entry.name))
    }

    async fn delete(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let request = Request::cloudfront(FUNCTION_DELETE, Method::DELETE, &format!("function/{}", entry.name))?;
        self.client.ask(request.if_match(found.version.as_deref().unwrap_or_default())).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
