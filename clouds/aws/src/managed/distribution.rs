use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, Followed, Found, FoundState, INSTALLATION_TAG, Key, Managed, Naming, Operation, Outputs, Owner,
    Ownership,
};
use domain::id::PlacementId;
use http::Method;

use super::files::missing_page;
use super::objects::Objects;
use super::{done, there};
use crate::client::Client;
use crate::operations::{
    DISTRIBUTION_CREATE, DISTRIBUTION_DELETE, DISTRIBUTION_GET, DISTRIBUTION_LIST, DISTRIBUTION_UPDATE, TAGS_LIST,
};
use crate::request::Request;
use crate::xml::Element;

/// Kind of a distribution.
pub(crate) const KIND: &str = "aws.cloudfront.distribution";

/// Output: its host, such as `d111111abcdef8.cloudfront.net`.
pub(crate) const HOST: &str = "host";

/// Output: the bucket that it shows.
pub(crate) const BUCKET: &str = "bucket";

/// Output: ARN of the key-value store with its key.
pub(crate) const STORE: &str = "store";

/// Managed cache policy `CachingOptimized` ("Use managed cache policies" of CloudFront).
const CACHE_POLICY: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

/// Seconds for which CloudFront remembers that something does not exist.
const MISSING_FOR: &str = "5";

/// Id of the one origin.
const ORIGIN: &str = "files";

/// Pause while changes are on their way to all edges.
const POLL: Duration = Duration::from_secs(10);

/// Things that a distribution is made of.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub bucket: String,
    pub store: String,
    /// ARN of the function.
    pub function: String,
    /// Id of the origin access control.
    pub access_control: String,
    pub tags: Outputs,
}

/// The distribution of an environment.
pub(crate) struct Distribution<'a> {
    pub client: &'a Client,
    pub placement: PlacementId,
    pub region: &'a str,
    /// Settings to give it; nothing to remove it.
    pub wanted: Option<Wanted>,
}

/// Name of an environment in keys.
pub(crate) fn place_name(placement: PlacementId) -> String {
    format!("e{}", placement.uuid().simple())
}

/// Tags of a distribution.
pub(crate) async fn tags(client: &Client, arn: &str) -> Result<Outputs, CloudError> {
    let mut request = Request::cloudfront(TAGS_LIST, Method::GET, "tagging")?;
    request.url.query_pairs_mut().append_pair("Resource", arn);
    let found = client.find(request).await?;
    let document = found.map(|answer| answer.xml()).transpose()?.unwrap_or_default();
    let tag = |tag: &Element| (tag.text_at("Key").to_owned(), tag.text_at("Value").to_owned());
    Ok(document.items("Items").iter().map(tag).collect())
}

fn is(name: &str, text: impl Into<String>) -> Element {
    Element::text(name, text)
}

impl Distribution<'_> {
    /// The id that the journal knows, or that of the one whose comment is its name in the journal.
    async fn id(&self, entry: &Entry) -> Result<Option<String>, CloudError> {
        if let Some(id) = &entry.external_id {
            return Ok(Some(id.clone()));
        }
        let all = self.client.list(DISTRIBUTION_LIST, "distribution").await?;
        let ours = all.iter().find(|distribution| distribution.text_at("Comment") == entry.name);
        Ok(ours.map(|distribution| distribution.text_at("Id").to_owned()))
    }

    /// The distribution with its entity tag.
    async fn get(&self, entry: &Entry) -> Result<Option<(String, Element)>, CloudError> {
        let Some(id) = self.id(entry).await? else { return Ok(None) };
        let request = Request::cloudfront(DISTRIBUTION_GET, Method::GET, &format!("distribution/{id}"))?;
        let Some(answer) = self.client.find(request).await? else { return Ok(None) };
        Ok(Some((answer.etag.clone(), answer.xml()?)))
    }

    /// Owner of a distribution; one whose id we wrote down is ours.
    async fn owner(&self, entry: &Entry, found: &Element) -> Result<Ownership, CloudError> {
        if entry.external_id.is_some() {
            return Ok(Ownership::Ours);
        }
        let tags = tags(self.client, found.text_at("ARN")).await?;
        Ok(self.client.owner(tags.get(INSTALLATION_TAG).map(String::as_str)))
    }

    fn page(&self) -> String {
        missing_page(&place_name(self.placement))
    }

    /// The settings that are ours to choose, each with all its fields, as changes of a distribution ask for.
    fn settings(&self, wanted: &Wanted) -> [Element; 4] {
        let origin = [
            is("Id", ORIGIN),
            is("DomainName", format!("{}.s3.{}.amazonaws.com", wanted.bucket, self.region)),
            is("OriginPath", ""),
            Element::list("CustomHeaders", vec![]),
            Element::with("S3OriginConfig", [is("OriginAccessIdentity", "")]),
            is("ConnectionAttempts", "3"),
            is("ConnectionTimeout", "10"),
            Element::with("OriginShield", [is("Enabled", "false")]),
            is("OriginAccessControlId", &wanted.access_control),
        ];
        let methods = || vec![is("Method", "HEAD"), is("Method", "GET")];
        let mut allowed = Element::list("AllowedMethods", methods());
        allowed.set(Element::list("CachedMethods", methods()));
        let function = [is("FunctionARN", &wanted.function), is("EventType", "viewer-request")];
        let nobody = |name| Element::with(name, [is("Enabled", "false"), is("Quantity", "0")]);
        let behaviour = [
            is("TargetOriginId", ORIGIN),
            nobody("TrustedSigners"),
            nobody("TrustedKeyGroups"),
            is("ViewerProtocolPolicy", "redirect-to-https"),
            allowed,
            is("SmoothStreaming", "false"),
            is("Compress", "true"),
            Element::list("LambdaFunctionAssociations", vec![]),
            Element::list("FunctionAssociations", vec![Element::with("FunctionAssociation", function)]),
            is("FieldLevelEncryptionId", ""),
            is("CachePolicyId", CACHE_POLICY),
        ];
        // S3 tells who may not list that everything it does not have is forbidden.
        let pages = ["403", "404"].map(|code| {
            let fields = [
                is("ErrorCode", code),
                is("ResponsePagePath", format!("/{}", self.page())),
                is("ResponseCode", "404"),
                is("ErrorCachingMinTTL", MISSING_FOR),
            ];
            Element::with("CustomErrorResponse", fields)
        });
        [
            Element::list("Origins", vec![Element::with("Origin", origin)]),
            Element::with("DefaultCacheBehavior", behaviour),
            Element::list("CustomErrorResponses", pages.to_vec()),
            is("Enabled", "true"),
        ]
    }

    fn is_current(&self, config: &Element) -> bool {
        let Some(wanted) = &self.wanted else { return true };
        let [origins, behaviour, pages, enabled] = self.settings(wanted);
        let same = |element: &Element, path: &str| element.text_at(path) == config.text_at(&format!("{}/{path}", element.name));
        ["Items/Origin/DomainName", "Items/Origin/OriginAccessControlId"].iter().all(|path| same(&origins, path))
            && ["FunctionAssociations/Items/FunctionAssociation/FunctionARN", "CachePolicyId", "ViewerProtocolPolicy"]
                .iter()
                .all(|path| same(&behaviour, path))
            && same(&pages, "Items/CustomErrorResponse/ResponsePagePath")
            && enabled.text == config.text_at("Enabled")
    }

    /// Changes settings; those that are not ours to choose stay as they were read.
    async fn change(&self, found: &Found, present: &Element, settings: &[Element]) -> Result<(), CloudError> {
        let mut config = present.at("DistributionConfig").cloned().unwrap_or_default();
        for setting in settings {
            config.set(setting.clone());
        }
        let path = format!("distribution/{}/config", found.id);
        let request = Request::cloudfront(DISTRIBUTION_UPDATE, Method::PUT, &path)?;
        let request = request.if_match(found.version.as_deref().unwrap_or_default()).with_document(&config);
        self.client.ask(request).await.map(drop)
    }
}

#[async_trait]
impl Managed for Distribution<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "front".to_owned(), owner: Owner::Placement(self.placement) }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the CloudFront distribution".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some((etag, found)) = self.get(entry).await? else { return Ok(None) };
        let owner = self.owner(entry, &found).await?;
        let config = found.at("DistributionConfig").cloned().unwrap_or_default();
        let is_enabled = config.text_at("Enabled") == "true";
        let state = match (found.text_at("Status"), is_enabled) {
            ("Deployed", _) => FoundState::Ready,
            (_, true) => FoundState::Making(self.client.wait("CloudFront to bring the distribution to its edges", POLL)),
            (_, false) => FoundState::Going(self.client.wait("CloudFront to take the distribution from its edges", POLL)),
        };
        let mut outputs = entry.outputs.clone();
        outputs.insert(HOST.to_owned(), found.text_at("DomainName").to_owned());
        if let Some(wanted) = &self.wanted {
            outputs.insert(BUCKET.to_owned(), wanted.bucket.clone());
            outputs.insert(STORE.to_owned(), wanted.store.clone());
        }
        let is_current = self.is_current(&config);
        Ok(Some(Found { state, version: Some(etag), ..there(found.text_at("Id"), owner, is_current, outputs) }))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let Some(wanted) = &self.wanted else { return Err(super::unchanging("a distribution without settings")) };
        let [origins, behaviour, pages, enabled] = self.settings(wanted);
        let config = [
            is("CallerReference", entry.token.to_string()),
            Element::list("Aliases", vec![]),
            is("DefaultRootObject", ""),
            origins,
            behaviour,
            pages,
            is("Comment", &entry.name),
            is("PriceClass", "PriceClass_All"),
            enabled,
            is("HttpVersion", "http2and3"),
            is("IsIPV6Enabled", "true"),
        ];
        let tag = |(name, value): (&String, &String)| Element::with("Tag", [is("Key", name), is("Value", value)]);
        let tags = Element::with("Tags", [Element::with("Items", wanted.tags.iter().map(tag))]);
        let document = Element::with("DistributionConfigWithTags", [Element::with("DistributionConfig", config), tags]);
        let request = Request::cloudfront(DISTRIBUTION_CREATE, Method::POST, "distribution?WithTags")?.with_document(&document);
        let made = self.client.ask(request).await?.xml()?;
        Ok(done(made.text_at("Id")))
    }

    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let Some(wanted) = &self.wanted else { return Err(super::unchanging("a distribution without settings")) };
        if let Some((_, present)) = self.get(entry).await? {
            self.change(found, &present, &self.settings(wanted)).await?;
        }
        Ok(done(&found.id))
    }

    /// Disables it first: CloudFront removes only what no edge shows any more.
    async fn delete(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let Some((_, present)) = self.get(entry).await? else { return Ok(Asked::default()) };
        if present.text_at("DistributionConfig/Enabled") == "true" {
            self.change(found, &present, &[is("Enabled", "false")]).await?;
            return Ok(Asked::default());
        }
        if let Some(bucket) = entry.outputs.get(BUCKET) {
            let objects = Objects { client: self.client, region: self.region, bucket };
            objects.delete(&[self.page()]).await?;
        }
        let request = Request::cloudfront(DISTRIBUTION_DELETE, Method::DELETE, &format!("distribution/{}", found.id))?;
        self.client.ask(request.if_match(found.version.as_deref().unwrap_or_default())).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
