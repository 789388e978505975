use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, ErrorKind, Followed, Found, INSTALLATION_TAG, Key, Managed, Naming, Operation, Outputs, Owner,
    Ownership,
};
use http::Method;
use serde_json::{Value, json};

use super::objects::Objects;
use super::{done, there};
use crate::answer::code;
use crate::client::Client;
use crate::operations::{
    BUCKET_ACCESS_PUT, BUCKET_CREATE, BUCKET_DELETE, BUCKET_POLICY_GET, BUCKET_POLICY_PUT, BUCKET_TAGS_GET, BUCKET_TAGS_PUT,
};
use crate::request::Request;
use crate::xml::Element;

/// Kind of a bucket.
pub(crate) const KIND: &str = "aws.s3.bucket";

/// Region whose buckets are made without naming it (S3, `CreateBucket`).
const FIRST_REGION: &str = "us-east-1";

/// A private bucket that the account's distributions read. New buckets are encrypted and have no access lists.
pub(crate) struct Bucket<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: String,
    /// Its tags; nothing to remove it.
    pub tags: Option<Outputs>,
}

impl Bucket<'_> {
    fn objects<'b>(&'b self, name: &'b str) -> Objects<'b> {
        Objects { client: self.client, region: &self.region, bucket: name }
    }

    fn policy(&self, name: &str) -> Value {
        json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "Distributions",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{name}/*"),
            "Condition": {"StringLike": {"AWS:SourceArn": format!("arn:aws:cloudfront::{}:distribution/*", self.client.account)}},
        }]})
    }

    async fn has_policy(&self, name: &str) -> Result<bool, CloudError> {
        let request = self.objects(name).request(BUCKET_POLICY_GET, Method::GET, "", &[("policy", "")])?;
        Ok(match self.client.find(request).await? {
            Some(answer) => answer.json()? == self.policy(name),
            None => false,
        })
    }
}

/// Tags in a document such as `<Tagging><TagSet><Tag>..`.
pub(crate) fn tags(document: &Element) -> Outputs {
    let tag = |tag: &Element| (tag.text_at("Key").to_owned(), tag.text_at("Value").to_owned());
    document.items("TagSet").iter().map(tag).collect()
}

#[async_trait]
impl Managed for Bucket<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "files".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        // Names of buckets are the world's ("Bucket naming rules" of S3).
        Naming { is_global: true, ..Naming::hyphens(63) }
    }

    fn title(&self) -> String {
        "the bucket for files".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let request = self.objects(&entry.name).request(BUCKET_TAGS_GET, Method::GET, "", &[("tagging", "")])?;
        let found = match self.client.ask(request).await {
            Ok(answer) => tags(&answer.xml()?),
            Err(error) if code(&error) == "NoSuchTagSet" => Outputs::new(),
            Err(error) if code(&error) == "NoSuchBucket" => return Ok(None),
            // A stranger's bucket is not shown: who may not see it does not own it. Our own we may see, or else say so.
            Err(error) if error.kind == ErrorKind::Denied && entry.external_id.is_none() => {
                let owner = Ownership::Others("somebody else".to_owned());
                return Ok(Some(there(&entry.name, owner, true, Outputs::new())));
            }
            Err(error) => return Err(error),
        };
        let owner = self.client.owner(found.get(INSTALLATION_TAG).map(String::as_str));
        let is_current = match &self.tags {
            None => true,
            Some(wanted) => {
                wanted.iter().all(|(name, value)| found.get(name) == Some(value)) && self.has_policy(&entry.name).await?
            }
        };
        Ok(Some(there(&entry.name, owner, is_current, Outputs::new())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let mut request = Request::s3(BUCKET_CREATE, Method::PUT, (&self.region, &entry.name), "", &[])?;
        if self.region != FIRST_REGION {
            let region = Element::text("LocationConstraint", &self.region);
            request = request.with_document(&Element::with("CreateBucketConfiguration", [region]));
        }
        self.client.ask(request).await?;
        Ok(done(&entry.name))
    }

    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let objects = self.objects(&entry.name);
        let tag =
            |(name, value): (&String, &String)| Element::with("Tag", [Element::text("Key", name), Element::text("Value", value)]);
        let all = self.tags.iter().flatten().map(tag);
        let tagging = Element::with("Tagging", [Element::with("TagSet", all)]);
        let request = objects.request(BUCKET_TAGS_PUT, Method::PUT, "", &[("tagging", "")])?.with_document(&tagging);
        self.client.ask(request).await?;
        let closed = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
        let closed = Element::with("PublicAccessBlockConfiguration", closed.map(|name| Element::text(name, "true")));
        let request = objects.request(BUCKET_ACCESS_PUT, Method::PUT, "", &[("publicAccessBlock", "")])?.with_document(&closed);
        self.client.ask(request).await?;
        // Comes last: a bucket with the policy has everything else.
        let request = objects.request(BUCKET_POLICY_PUT, Method::PUT, "", &[("policy", "")])?;
        let request = request
            .with_header("content-type", "application/json")
            .with_body(self.policy(&entry.name).to_string())
            .with_checksum();
        self.client.ask(request).await?;
        Ok(done(&found.id))
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        let objects = self.objects(&entry.name);
        objects.empty("").await?;
        self.client.ask(objects.request(BUCKET_DELETE, Method::DELETE, "", &[])?).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
