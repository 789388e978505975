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
use super::rule::HEADER;
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

/// Output: the host of the load balancer that it shows.
pub(crate) const BALANCER: &str = "balancer";

/// Managed cache policy `CachingOptimized` ("Use managed cache policies" of CloudFront).
const CACHING: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

/// Managed cache policy `CachingDisabled`.
const NO_CACHING: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";

/// Managed origin request policy `AllViewer` ("Use managed origin request policies" of CloudFront).
const ALL_OF_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";

/// Seconds for which a server may take to answer, and for which a connection to it is kept.
const ANSWER: &str = "60";

/// Seconds for which CloudFront remembers that something does not exist.
const MISSING_FOR: &str = "5";

/// Id of the one origin.
const ORIGIN: &str = "origin";

/// Pause while changes are on their way to all edges.
const POLL: Duration = Duration::from_secs(10);

/// Files that a distribution shows.
#[derive(Debug, Clone)]
pub(crate) struct SiteOrigin {
    pub bucket: String,
    pub store: String,
    /// ARN of the function.
    pub function: String,
    /// Id of the origin access control.
    pub access_control: String,
}

/// Servers that a distribution shows.
#[derive(Debug, Clone)]
pub(crate) struct ServerOrigin {
    /// Host of the load balancer.
    pub balancer: String,
    /// Value of the header by which the load balancer knows the environment.
    pub header: String,
}

/// Origin of what a distribution shows.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    Site(SiteOrigin),
    Server(ServerOrigin),
}

/// Settings of a distribution.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub origin: Origin,
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

/// An origin with the fields that all kinds have.
fn origin(domain: &str, headers: Vec<Element>) -> Element {
    let fields = [
        is("Id", ORIGIN),
        is("DomainName", domain),
        is("OriginPath", ""),
        Element::list("CustomHeaders", headers),
        is("ConnectionAttempts", "3"),
        is("ConnectionTimeout", "10"),
        Element::with("OriginShield", [is("Enabled", "false")]),
    ];
    Element::with("Origin", fields)
}

fn server_origin(server: &ServerOrigin) -> Element {
    let header = [is("HeaderName", HEADER), is("HeaderValue", &server.header)];
    let mut origin = origin(&server.balancer, vec![Element::with("OriginCustomHeader", header)]);
    let settings = [
        is("HTTPPort", "80"),
        is("HTTPSPort", "443"),
        // The way is within AWS; certificates of load balancers need a domain.
        is("OriginProtocolPolicy", "http-only"),
        Element::list("OriginSslProtocols", vec![is("SslProtocol", "TLSv1.2")]),
        is("OriginReadTimeout", ANSWER),
        is("OriginKeepaliveTimeout", ANSWER),
    ];
    origin.set(Element::with("CustomOriginConfig", settings));
    origin
}

/// Requests with these methods, which caches remember answers of the first two of.
fn behaviour(methods: &[&str], functions: Vec<Element>, cache_policy: &str) -> Element {
    let named = |methods: &[&str]| methods.iter().map(|method| is("Method", *method)).collect();
    let mut allowed = Element::list("AllowedMethods", named(methods));
    allowed.set(Element::list("CachedMethods", named(&methods[..2])));
    let nobody = |name| Element::with(name, [is("Enabled", "false"), is("Quantity", "0")]);
    let fields = [
        is("TargetOriginId", ORIGIN),
        nobody("TrustedSigners"),
        nobody("TrustedKeyGroups"),
        is("ViewerProtocolPolicy", "redirect-to-https"),
        allowed,
        is("SmoothStreaming", "false"),
        is("Compress", "true"),
        Element::list("LambdaFunctionAssociations", vec![]),
        Element::list("FunctionAssociations", functions),
        is("FieldLevelEncryptionId", ""),
        is("CachePolicyId", cache_policy),
    ];
    Element::with("DefaultCacheBehavior", fields)
}

fn site_behaviour(site: &SiteOrigin) -> Element {
    let function = [is("FunctionARN", &site.function), is("EventType", "viewer-request")];
    behaviour(&["HEAD", "GET"], vec![Element::with("FunctionAssociation", function)], CACHING)
}

fn server_behaviour() -> Element {
    let mut behaviour = behaviour(&["HEAD", "GET", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"], vec![], NO_CACHING);
    behaviour.set(is("OriginRequestPolicyId", ALL_OF_VIEWER));
    behaviour
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
        let (origin, behaviour, pages) = match &wanted.origin {
            Origin::Site(site) => (self.site_origin(site), site_behaviour(site), self.pages()),
            // A server answers for itself, errors included.
            Origin::Server(server) => (server_origin(server), server_behaviour(), vec![]),
        };
        [Element::list("Origins", vec![origin]), behaviour, Element::list("CustomErrorResponses", pages), is("Enabled", "true")]
    }

    fn site_origin(&self, site: &SiteOrigin) -> Element {
        let domain = format!("{}.s3.{}.amazonaws.com", site.bucket, self.region);
        let mut origin = origin(&domain, vec![]);
        origin.set(Element::with("S3OriginConfig", [is("OriginAccessIdentity", "")]));
        origin.set(is("OriginAccessControlId", &site.access_control));
        origin
    }

    /// Pages for what does not exist. S3 tells who may not list that everything it does not have is forbidden.
    fn pages(&self) -> Vec<Element> {
        let pages = ["403", "404"].map(|code| {
            let fields = [
                is("ErrorCode", code),
                is("ResponsePagePath", format!("/{}", self.page())),
                is("ResponseCode", "404"),
                is("ErrorCachingMinTTL", MISSING_FOR),
            ];
            Element::with("CustomErrorResponse", fields)
        });
        pages.to_vec()
    }

    fn is_current(&self, config: &Element) -> bool {
        let Some(wanted) = &self.wanted else { return true };
        let [origins, behaviour, pages, enabled] = self.settings(wanted);
        let same = |element: &Element, path: &str| element.text_at(path) == config.text_at(&format!("{}/{path}", element.name));
        let origin = [
            "Items/Origin/DomainName",
            "Items/Origin/OriginAccessControlId",
            "Items/Origin/CustomHeaders/Items/OriginCustomHeader/HeaderValue",
        ];
        let shown = [
            "FunctionAssociations/Items/FunctionAssociation/FunctionARN",
            "CachePolicyId",
            "OriginRequestPolicyId",
            "ViewerProtocolPolicy",
        ];
        origin.iter().all(|path| same(&origins, path))
            && shown.iter().all(|path| same(&behaviour, path))
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
        match self.wanted.as_ref().map(|wanted| &wanted.origin) {
            Some(Origin::Site(site)) => {
                outputs.insert(BUCKET.to_owned(), site.bucket.clone());
                outputs.insert(STORE.to_owned(), site.store.clone());
            }
            Some(Origin::Server(server)) => {
                outputs.insert(BALANCER.to_owned(), server.balancer.clone());
            }
            None => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_for_everything_with_the_header_of_its_environment() {
        let server = ServerOrigin { balancer: "mc.eu-west-1.elb.amazonaws.com".to_owned(), header: "e1.secret".to_owned() };
        let origin = server_origin(&server);
        assert_eq!(origin.text_at("CustomHeaders/Items/OriginCustomHeader/HeaderName"), "x-mikrocloud-place");
        assert_eq!(origin.text_at("CustomHeaders/Items/OriginCustomHeader/HeaderValue"), "e1.secret");
        assert_eq!(origin.text_at("CustomOriginConfig/OriginProtocolPolicy"), "http-only");
        let behaviour = server_behaviour();
        assert_eq!(behaviour.text_at("AllowedMethods/Quantity"), "7");
        assert_eq!(behaviour.text_at("AllowedMethods/CachedMethods/Quantity"), "2");
        assert_eq!(behaviour.text_at("CachePolicyId"), NO_CACHING);
        assert_eq!(behaviour.text_at("FunctionAssociations/Quantity"), "0");
    }
}
