//! Front doors: CloudFront and load balancers, as visitors meet them.

use http::{HeaderName, Method, StatusCode};
use rand::RngExt as _;
use serde_json::{Value, json};

use super::cloudfront::{self, DISTRIBUTION, FUNCTION, LIVE};
use super::moto::Server;
use super::xml::Element;
use super::{ecs, key_value};
use crate::glob::fits;
use crate::http::Answer;
use crate::world::{Object, State, World};

/// Headers of an object that visitors see.
const HEADERS: [HeaderName; 6] = [
    http::header::CONTENT_TYPE,
    http::header::CACHE_CONTROL,
    http::header::CONTENT_ENCODING,
    http::header::CONTENT_DISPOSITION,
    http::header::ETAG,
    http::header::LAST_MODIFIED,
];

/// A reader of what CloudFront and load balancers show.
pub(crate) struct Front<'a> {
    pub(super) server: &'a Server,
    pub(super) world: &'a World,
}

/// Result of a visit.
pub(crate) enum Visit {
    Answer(Answer),
    /// The answer of what runs under this key.
    Runs(String),
    Broken(Broken),
}

/// The first broken link: status, and a text for people.
pub(crate) struct Broken {
    pub status: StatusCode,
    pub message: String,
}

/// A distribution as far as a visit needs it.
struct Distribution {
    id: String,
    arn: String,
    config: Element,
}

pub(super) type Link<T> = Result<T, Broken>;

fn broken(message: impl Into<String>) -> Broken {
    Broken { status: StatusCode::SERVICE_UNAVAILABLE, message: message.into() }
}

fn refused(status: StatusCode, message: impl Into<String>) -> Broken {
    Broken { status, message: message.into() }
}

/// Returns true if a host is CloudFront's or a load balancer's.
pub(crate) fn is_front(state: &State, host: &str) -> bool {
    host.ends_with(".cloudfront.net") || host.ends_with(".elb.amazonaws.com") || find(state, host).is_some()
}

fn find<'s>(state: &'s State, host: &str) -> Option<&'s Object> {
    let has = |object: &Object| {
        let config = cloudfront::config_of(object).unwrap_or_default();
        object.text("/domain") == host || config.items("Aliases/Items").iter().any(|alias| alias.text == host)
    };
    state.aws.iter().find(|(_, object)| object.kind == DISTRIBUTION && has(object)).map(|(_, object)| object)
}

impl Front<'_> {
    /// Follows the request of a visitor.
    pub async fn visit(&self, host: &str, method: &Method, path: &str) -> Visit {
        let outcome = if host.ends_with(".elb.amazonaws.com") {
            self.balanced(host, path, &[]).await
        } else {
            self.distributed(host, method, path).await
        };
        outcome.unwrap_or_else(Visit::Broken)
    }

    fn distribution(&self, host: &str) -> Link<Distribution> {
        let state = self.world.lock();
        let unknown = || refused(StatusCode::NOT_FOUND, format!("no distribution of CloudFront has the address {host}"));
        let object = find(&state, host).ok_or_else(unknown)?;
        let id = object.text("/id").to_owned();
        let config = cloudfront::config_of(object).unwrap_or_default();
        if config.text_at("Enabled") != "true" {
            return Err(broken(format!("the distribution {id} is disabled")));
        }
        if !cloudfront::is_deployed(object) {
            return Err(broken(format!("the distribution {id} is still being deployed: its status is InProgress")));
        }
        Ok(Distribution { id, arn: object.text("/arn").to_owned(), config })
    }

    async fn distributed(&self, host: &str, method: &Method, path: &str) -> Link<Visit> {
        let distribution = self.distribution(host)?;
        let uri = path.split('?').next().unwrap_or(path);
        let uri = rewritten(&self.world.lock(), &distribution, host, uri)?;
        let target = distribution.config.text_at("DefaultCacheBehavior/TargetOriginId");
        let origins = distribution.config.items("Origins/Items");
        let origin = origins.iter().find(|origin| origin.text_at("Id") == target);
        let origin = origin.ok_or_else(|| broken(format!("the distribution {} has no origin {target}", distribution.id)))?;
        let domain = origin.text_at("DomainName");
        if domain.ends_with(".elb.amazonaws.com") {
            let headers = origin.items("CustomHeaders/Items").iter();
            let headers: Vec<_> = headers
                .map(|header| (header.text_at("HeaderName").to_owned(), header.text_at("HeaderValue").to_owned()))
                .collect();
            return self.balanced(domain, path, &headers).await;
        }
        let Some((bucket, region)) = bucket_of(domain) else {
            return Err(broken(format!("the origin {domain} is neither a bucket nor a load balancer of the sandbox")));
        };
        let control = origin.text_at("OriginAccessControlId");
        self.check_policy(&distribution, bucket, region, control).await?;
        self.object(&distribution, bucket, region, &uri, method).await
    }

    /// The bucket's policy lets the distribution read, which signs its requests.
    async fn check_policy(&self, distribution: &Distribution, bucket: &str, region: &str, control: &str) -> Link<()> {
        if control.is_empty() {
            return Err(refused(
                StatusCode::FORBIDDEN,
                format!("the distribution {} has no origin access control for the bucket {bucket}", distribution.id),
            ));
        }
        let answer =
            self.server.ask("s3", region, Method::GET, &format!("/{bucket}?policy"), &[], String::new()).await.map_err(broken)?;
        let policy: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        if statements.iter().any(|statement| lets_read(statement, bucket, &distribution.arn)) {
            return Ok(());
        }
        Err(refused(
            StatusCode::FORBIDDEN,
            format!("the policy of the bucket {bucket} does not let the distribution {} read it", distribution.id),
        ))
    }

    async fn object(&self, distribution: &Distribution, bucket: &str, region: &str, uri: &str, method: &Method) -> Link<Visit> {
        let read = async |path: &str| {
            self.server.ask("s3", region, Method::GET, &format!("/{bucket}{path}"), &[], String::new()).await.map_err(broken)
        };
        let got = read(uri).await?;
        if got.status.is_success() {
            return Ok(Visit::Answer(shown(got, StatusCode::OK, method)));
        }
        // Without permission to list, S3 says 403 for what does not exist.
        let pages = distribution.config.items("CustomErrorResponses/Items");
        let page = pages
            .iter()
            .find(|page| matches!(page.text_at("ErrorCode"), "403" | "404") && !page.text_at("ResponsePagePath").is_empty());
        if let Some(page) = page {
            let got = read(page.text_at("ResponsePagePath")).await?;
            let status = page.text_at("ResponseCode").parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
            return Ok(Visit::Answer(shown(got, status.unwrap_or(StatusCode::NOT_FOUND), method)));
        }
        Err(refused(StatusCode::FORBIDDEN, format!("the bucket {bucket} has no object {}", uri.trim_start_matches('/'))))
    }

    /// Result of a question to the region's load balancers.
    pub(super) async fn balancing(&self, region: &str, action: &str, more: &str) -> Link<Element> {
        let body = format!("Action={action}&Version=2015-12-01{more}");
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.server.ask("elasticloadbalancing", region, Method::POST, "/", &kind, body).await.map_err(broken)?;
        let document = Element::parse(&answer.body).ok_or_else(|| broken("the load balancer's settings cannot be read"))?;
        document.at(&format!("{action}Result")).cloned().ok_or_else(|| broken("the load balancer's settings cannot be read"))
    }

    /// From a load balancer to what runs behind it.
    async fn balanced(&self, domain: &str, path: &str, headers: &[(String, String)]) -> Link<Visit> {
        let region = domain.trim_end_matches(".elb.amazonaws.com").rsplit('.').next().unwrap_or_default();
        let all = self.balancing(region, "DescribeLoadBalancers", "").await?;
        let balancer = all.items("LoadBalancers").iter().find(|balancer| balancer.text_at("DNSName") == domain);
        let balancer =
            balancer.ok_or_else(|| refused(StatusCode::NOT_FOUND, format!("no load balancer has the address {domain}")))?;
        let arn = form(balancer.text_at("LoadBalancerArn"));
        let listeners = self.balancing(region, "DescribeListeners", &format!("&LoadBalancerArn={arn}")).await?;
        let listener = listeners.items("Listeners").iter().find(|listener| listener.text_at("Protocol") == "HTTP");
        let listener = listener.ok_or_else(|| broken(format!("the load balancer {domain} has no listener for HTTP")))?;
        let arn = form(listener.text_at("ListenerArn"));
        let rules = self.balancing(region, "DescribeRules", &format!("&ListenerArn={arn}")).await?;
        let mut rules: Vec<_> = rules.items("Rules").to_vec();
        rules.sort_by_key(|rule| rule.text_at("Priority").parse::<u32>().unwrap_or(u32::MAX));
        let rule = rules.iter().find(|rule| rule.items("Conditions").iter().all(|condition| holds(condition, path, headers)));
        let action = rule.and_then(|rule| rule.items("Actions").last()).cloned();
        let action = action.ok_or_else(|| broken(format!("no rule of the load balancer {domain} fits the request")))?;
        self.act(&action)
    }

    fn act(&self, action: &Element) -> Link<Visit> {
        if action.text_at("Type") == "fixed-response" {
            let status =
                action.text_at("FixedResponseConfig/StatusCode").parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
            let text = action.text_at("FixedResponseConfig/MessageBody").to_owned();
            return Ok(Visit::Answer(Answer::text(status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE), text)));
        }
        let groups = action.items("ForwardConfig/TargetGroups");
        let weighted =
            groups.iter().map(|group| (group.text_at("TargetGroupArn"), group.text_at("Weight").parse::<u64>().unwrap_or(1)));
        let mut weighted: Vec<_> = weighted.filter(|(_, weight)| *weight > 0).collect();
        if groups.is_empty() {
            weighted.push((action.text_at("TargetGroupArn"), 1));
        }
        let sum: u64 = weighted.iter().map(|(_, weight)| weight).sum();
        let mut at = if sum == 0 { 0 } else { rand::rng().random_range(0..sum) };
        let chosen = weighted.iter().find(|(_, weight)| {
            let is_this = at < *weight;
            at = at.saturating_sub(*weight);
            is_this
        });
        let (group, _) = chosen.ok_or_else(|| broken("the load balancer's rule gives every target group the weight 0"))?;
        let name = group.split('/').nth(1).unwrap_or(group);
        let key = ecs::behind(&self.world.lock(), group);
        key.map(Visit::Runs)
            .ok_or_else(|| broken(format!("the target group {name} has no targets: no ECS service behind it wants tasks")))
    }
}

/// A value for a form.
pub(super) fn form(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The path after the function on the viewer's request: our own reading of the key of the host, `{"d": "<deployment>"}`.
fn rewritten(state: &State, distribution: &Distribution, host: &str, uri: &str) -> Link<String> {
    let associations = distribution.config.items("DefaultCacheBehavior/FunctionAssociations/Items");
    let function = associations.iter().find(|association| association.text_at("EventType") == "viewer-request");
    let Some(arn) = function.map(|association| association.text_at("FunctionARN")) else {
        let root = distribution.config.text_at("DefaultRootObject");
        return Ok(if uri == "/" { format!("/{root}") } else { uri.to_owned() });
    };
    let mut functions = state.aws.iter().filter(|(_, object)| object.kind == FUNCTION && object.text("/arn") == arn);
    let function = functions.next().map(|(_, object)| object).filter(|object| !object.hidden[LIVE].is_null());
    let function = function.ok_or_else(|| broken(format!("the function {arn} is not published")))?;
    let store = cloudfront::stores_of(function).into_iter().find_map(|arn| cloudfront::store_key(state, &arn));
    let store = store.and_then(|key| state.aws.get(&key));
    let store = store.ok_or_else(|| broken(format!("the function {} has no key-value store", function.text("/name"))))?;
    let value = key_value::pairs(store).remove(host);
    let value = value.ok_or_else(|| broken(format!("the key-value store {} has no key {host}", store.text("/name"))))?;
    let value: Value = serde_json::from_str(&value).unwrap_or_default();
    let deployment = value["d"].as_str().ok_or_else(|| broken(format!("the value of the key {host} names no deployment")))?;
    let index = if uri.ends_with('/') { "index.html" } else { "" };
    Ok(format!("/sites/{deployment}{uri}{index}"))
}

/// Bucket and region of a domain such as `mc-files.s3.eu-west-1.amazonaws.com`.
fn bucket_of(domain: &str) -> Option<(&str, &str)> {
    let (bucket, rest) = domain.strip_suffix(".amazonaws.com")?.split_once(".s3")?;
    let region = rest.trim_start_matches('.');
    Some((bucket, if region.is_empty() { "us-east-1" } else { region }))
}

fn lets_read(statement: &Value, bucket: &str, distribution: &str) -> bool {
    let texts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let principal = &statement["Principal"];
    let is_ours =
        principal == &json!("*") || texts(&principal["Service"]).iter().any(|service| service == "cloudfront.amazonaws.com");
    let acts = texts(&statement["Action"]).iter().any(|action| fits(action, "s3:GetObject"));
    let there = texts(&statement["Resource"]).iter().any(|resource| {
        fits(resource, &format!("arn:aws:s3:::{bucket}/sites/x")) || resource == &format!("arn:aws:s3:::{bucket}/*")
    });
    let conditions = statement["Condition"].as_object().cloned().unwrap_or_default();
    let sources: Vec<String> = conditions
        .values()
        .flat_map(|condition| condition.as_object().cloned().unwrap_or_default())
        .filter(|(name, _)| name.eq_ignore_ascii_case("AWS:SourceArn"))
        .flat_map(|(_, value)| texts(&value))
        .collect();
    let is_source = sources.is_empty() || sources.iter().any(|source| fits(source, distribution));
    statement["Effect"] == json!("Allow") && is_ours && acts && there && is_source
}

fn shown(got: Answer, status: StatusCode, method: &Method) -> Answer {
    let mut answer =
        Answer::empty(status).with("x-cache", "Miss from cloudfront").with("content-length", &got.body.len().to_string());
    for name in HEADERS {
        if let Some(value) = got.headers.get(&name) {
            answer.headers.insert(name, value.clone());
        }
    }
    if *method != Method::HEAD {
        answer.body = got.body;
    }
    answer
}

/// Returns true if a condition of a rule holds: on headers or on the path.
fn holds(condition: &Element, path: &str, headers: &[(String, String)]) -> bool {
    let values = |place: &str| condition.items(place).iter().map(|value| value.text.clone()).collect::<Vec<_>>();
    match condition.text_at("Field") {
        "http-header" => {
            let name = condition.text_at("HttpHeaderConfig/HttpHeaderName");
            let wanted = values("HttpHeaderConfig/Values");
            headers
                .iter()
                .any(|(given, value)| given.eq_ignore_ascii_case(name) && wanted.iter().any(|wanted| fits(wanted, value)))
        }
        "path-pattern" => {
            let patterns = [values("PathPatternConfig/Values"), values("Values")].concat();
            patterns.iter().any(|pattern| fits(pattern, path.split('?').next().unwrap_or(path)))
        }
        _ => false,
    }
}
