use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner};
use http::Method;

use super::{done, there, unchanging};
use crate::client::Client;
use crate::operations::{ACCESS_CREATE, ACCESS_DELETE, ACCESS_GET, ACCESS_LIST};
use crate::request::Request;
use crate::xml::Element;

/// Kind of an origin access control.
pub(crate) const KIND: &str = "aws.cloudfront.origin-access-control";

/// Path of all of them.
pub(crate) const PATH: &str = "origin-access-control";

/// An origin access control: CloudFront signs its requests to buckets. It has no tags: its description names the installation.
pub(crate) struct AccessControl<'a> {
    pub client: &'a Client,
    pub owner: Owner,
}

impl AccessControl<'_> {
    /// The id that the journal knows, or that of the one with our name.
    async fn id(&self, entry: &Entry) -> Result<Option<String>, CloudError> {
        if let Some(id) = &entry.external_id {
            return Ok(Some(id.clone()));
        }
        let all = self.client.list(ACCESS_LIST, PATH).await?;
        Ok(all.iter().find(|control| control.text_at("Name") == entry.name).map(|control| control.text_at("Id").to_owned()))
    }
}

#[async_trait]
impl Managed for AccessControl<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "files".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(64)
    }

    fn title(&self) -> String {
        "the origin access control of CloudFront".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(id) = self.id(entry).await? else { return Ok(None) };
        let request = Request::cloudfront(ACCESS_GET, Method::GET, &format!("{PATH}/{id}"))?;
        let Some(answer) = self.client.find(request).await? else { return Ok(None) };
        let control = answer.xml()?;
        let owner = self.client.owner_by_mark(control.text_at("OriginAccessControlConfig/Description"));
        Ok(Some(Found { version: Some(answer.etag), ..there(id, owner, true, Outputs::new()) }))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let fields = [
            Element::text("Name", &entry.name),
            Element::text("Description", self.client.mark()),
            Element::text("SigningProtocol", "sigv4"),
            Element::text("SigningBehavior", "always"),
            Element::text("OriginAccessControlOriginType", "s3"),
        ];
        let document = Element::with("OriginAccessControlConfig", fields);
        let request = Request::cloudfront(ACCESS_CREATE, Method::POST, PATH)?.with_document(&document);
        let answer = self.client.ask(request).await?.xml()?;
        Ok(done(answer.text_at("Id")))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("an origin access control"))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let request = Request::cloudfront(ACCESS_DELETE, Method::DELETE, &format!("{PATH}/{}", found.id))?;
        self.client.ask(request.if_match(found.version.as_deref().unwrap_or_default())).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
