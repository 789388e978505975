//! Requests to AWS's services, written for AWS's own addresses.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use clouds_contract::CloudError;
use clouds_contract::guard::Call;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::operations::Operation;
use crate::xml::Element;

/// Everything but unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The same in a path with several parts.
const PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Version of CloudFront's API, the first part of its paths.
const CLOUDFRONT_VERSION: &str = "2020-05-31";

/// Namespace of CloudFront's documents.
const CLOUDFRONT: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// Namespace of S3's documents.
const S3: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Region of services that are not of a region.
const HOME: &str = "us-east-1";

/// A service that takes JSON: first part of its host, and prefix of its operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonApi {
    host: &'static str,
    target: &'static str,
}

/// Elastic Container Service.
pub(crate) const ECS: JsonApi = JsonApi { host: "ecs", target: "AmazonEC2ContainerServiceV20141113" };

/// Elastic Container Registry.
pub(crate) const ECR: JsonApi = JsonApi { host: "api.ecr", target: "AmazonEC2ContainerRegistry_V20150921" };

/// Systems Manager.
pub(crate) const SSM: JsonApi = JsonApi { host: "ssm", target: "AmazonSSM" };

/// Logs of `CloudWatch`.
pub(crate) const LOGS: JsonApi = JsonApi { host: "logs", target: "Logs_20140328" };

/// Resource Groups Tagging.
pub(crate) const TAGGING: JsonApi = JsonApi { host: "tagging", target: "ResourceGroupsTaggingAPI_20170126" };

/// Names and values of a form, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The same with a value.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The same with a list, such as `Subnets.member.1`.
    #[must_use]
    pub fn list<'v>(self, name: &str, values: impl IntoIterator<Item = &'v str>) -> Self {
        let values = values.into_iter().enumerate();
        values.fold(self, |form, (number, value)| form.with(format!("{name}.{}", number + 1), value))
    }

    /// The same with tags, such as `Tags.member.1.Key`.
    #[must_use]
    pub fn tags<'t>(self, name: &str, tags: impl IntoIterator<Item = (&'t String, &'t String)>) -> Self {
        let tags = tags.into_iter().enumerate();
        tags.fold(self, |form, (number, (key, value))| {
            let number = number + 1;
            form.with(format!("{name}.{number}.Key"), key).with(format!("{name}.{number}.Value"), value)
        })
    }

    /// The same with more names and values.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }
}

/// Region that a signature is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Realm {
    Region(String),
    /// All of them, by version 4A.
    Global,
}

/// A request to one of AWS's services.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub call: Call,
    /// Name in signatures.
    pub service: &'static str,
    pub realm: Realm,
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    /// SHA-256 of the body in hexadecimal digits, where it is known already.
    pub known_digest: Option<String>,
}

fn address(text: &str) -> Result<Url, CloudError> {
    Url::parse(text).map_err(|error| CloudError::internal("an address of AWS's", error))
}

fn query<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut text = String::new();
    for (number, (name, value)) in pairs.iter().enumerate() {
        let separator = if number == 0 { '?' } else { '&' };
        let (name, value) = (utf8_percent_encode(name.as_ref(), RESERVED), utf8_percent_encode(value.as_ref(), RESERVED));
        // Writing to a text does not fail.
        let _ = write!(text, "{separator}{name}={value}");
    }
    text
}

impl Request {
    fn new(operation: Operation, service: &'static str, method: Method, url: Url) -> Self {
        let realm = Realm::Region(HOME.to_owned());
        Self { call: operation.call, service, realm, method, url, headers: Vec::new(), body: Bytes::new(), known_digest: None }
    }

    /// A request to CloudFront; the path follows the version.
    pub fn cloudfront(operation: Operation, method: Method, path: &str) -> Result<Self, CloudError> {
        let url = address(&format!("https://cloudfront.amazonaws.com/{CLOUDFRONT_VERSION}/{path}"))?;
        Ok(Self::new(operation, "cloudfront", method, url))
    }

    /// A request about the data of a key-value store; the path follows the store's ARN.
    pub fn keys(operation: Operation, account: &str, store: &str, method: Method, key: Option<&str>) -> Result<Self, CloudError> {
        let store = utf8_percent_encode(store, RESERVED);
        let key = key.map(|key| format!("/keys/{}", utf8_percent_encode(key, RESERVED))).unwrap_or_default();
        let url = address(&format!("https://{account}.cloudfront-kvs.global.api.aws/key-value-stores/{store}{key}"))?;
        let request = Self::new(operation, "cloudfront-keyvaluestore", method, url);
        Ok(Self { realm: Realm::Global, ..request })
    }

    /// A request about an object of a bucket, or with an empty key about the bucket itself.
    pub fn s3(
        operation: Operation,
        method: Method,
        (region, bucket): (&str, &str),
        key: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Self, CloudError> {
        let key = utf8_percent_encode(key, PATH);
        let url = address(&format!("https://{bucket}.s3.{region}.amazonaws.com/{key}{}", query(pairs)))?;
        Ok(Self { realm: Realm::Region(region.to_owned()), ..Self::new(operation, "s3", method, url) })
    }

    /// A list of buckets.
    pub fn buckets(operation: Operation, region: &str, pairs: &[(&str, &str)]) -> Result<Self, CloudError> {
        let url = address(&format!("https://s3.{region}.amazonaws.com/{}", query(pairs)))?;
        Ok(Self { realm: Realm::Region(region.to_owned()), ..Self::new(operation, "s3", Method::GET, url) })
    }

    /// A request to IAM.
    pub fn iam(operation: Operation, pairs: &[(&str, &str)]) -> Result<Self, CloudError> {
        Ok(Self::new(operation, "iam", Method::POST, address("https://iam.amazonaws.com/")?).form("2010-05-08", operation, pairs))
    }

    /// A request to STS. Session tokens of its regional addresses are good everywhere, those of the global one are not.
    pub fn sts(operation: Operation, pairs: &[(&str, &str)]) -> Result<Self, CloudError> {
        let url = address(&format!("https://sts.{HOME}.amazonaws.com/"))?;
        Ok(Self::new(operation, "sts", Method::POST, url).form("2011-06-15", operation, pairs))
    }

    /// A request to IAM with a form.
    pub fn iam_form(operation: Operation, form: &Form) -> Result<Self, CloudError> {
        let pairs: Vec<_> = form.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Self::iam(operation, &pairs)
    }

    /// A request to a region's EC2 (API version 2016-11-15) or Elastic Load Balancing (2015-12-01).
    pub fn regional(operation: Operation, region: &str, form: &Form) -> Result<Self, CloudError> {
        let service = operation.call.service;
        let version = if service == "ec2" { "2016-11-15" } else { "2015-12-01" };
        let request =
            Self::new(operation, service, Method::POST, address(&format!("https://{service}.{region}.amazonaws.com/"))?);
        let request = Self { realm: Realm::Region(region.to_owned()), ..request };
        let pairs: Vec<_> = form.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Ok(request.form(version, operation, &pairs))
    }

    /// A request to a region's service that takes JSON.
    pub fn json(operation: Operation, api: JsonApi, region: &str, body: &Value) -> Result<Self, CloudError> {
        let url = address(&format!("https://{}.{region}.amazonaws.com/", api.host))?;
        let request = Self::new(operation, operation.call.service, Method::POST, url);
        let request = Self { realm: Realm::Region(region.to_owned()), ..request };
        let target = format!("{}.{}", api.target, operation.call.operation);
        let request = request.with_header("content-type", "application/x-amz-json-1.1").with_header("x-amz-target", target);
        Ok(request.with_body(body.to_string()))
    }

    fn form(self, version: &str, operation: Operation, pairs: &[(&str, &str)]) -> Self {
        let own = [("Action", operation.call.operation), ("Version", version)];
        let all: Vec<_> = own.into_iter().chain(pairs.iter().copied()).collect();
        let text = query(&all).split_off(1);
        self.with_header("content-type", "application/x-www-form-urlencoded").with_body(text)
    }

    /// The same with a header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same for a thing that is as it was read.
    pub fn if_match(self, etag: &str) -> Self {
        self.with_header("if-match", etag)
    }

    /// The same with a body.
    pub fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The same with a document.
    pub fn with_document(self, document: &Element) -> Self {
        let namespace = if self.service == "s3" { S3 } else { CLOUDFRONT };
        self.with_header("content-type", "application/xml").with_body(document.document(namespace))
    }

    /// The same with a body whose digest is known.
    pub fn with_known_body(self, body: Bytes, digest: &str) -> Self {
        Self { body, known_digest: Some(digest.to_owned()), ..self }
    }

    /// The same with another time limit.
    pub fn within(self, time: Duration) -> Self {
        Self { call: self.call.within(time), ..self }
    }

    /// SHA-256 of the body, in hexadecimal digits.
    pub fn digest(&self) -> String {
        self.known_digest.clone().unwrap_or_else(|| hex::encode(Sha256::digest(&self.body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{BUCKET_POLICY_GET, CALLER_GET, CLUSTER_GET, KEY_GET, OBJECT_PUT, RULE_LIST};

    #[test]
    fn addresses_are_those_of_aws() {
        let store = "arn:aws:cloudfront::123456789012:key-value-store/a-b";
        let keys = Request::keys(KEY_GET, "123456789012", store, Method::GET, Some("d1.cloudfront.net")).unwrap();
        let expected = "https://123456789012.cloudfront-kvs.global.api.aws/key-value-stores/\
                        arn%3Aaws%3Acloudfront%3A%3A123456789012%3Akey-value-store%2Fa-b/keys/d1.cloudfront.net";
        assert_eq!((keys.url.as_str(), keys.realm), (expected, Realm::Global));
        let object = Request::s3(OBJECT_PUT, Method::PUT, ("eu-west-1", "mc-a"), "sites/d/a b+ü%.html", &[]).unwrap();
        assert_eq!(object.url.as_str(), "https://mc-a.s3.eu-west-1.amazonaws.com/sites/d/a%20b%2B%C3%BC%25.html");
        let policy =
            Request::s3(BUCKET_POLICY_GET, Method::GET, ("eu-west-1", "mc-a"), "", &[("policy", ""), ("a", "b c")]).unwrap();
        assert_eq!(policy.url.as_str(), "https://mc-a.s3.eu-west-1.amazonaws.com/?policy=&a=b%20c");
        let form = Request::sts(CALLER_GET, &[("A.member.1", "a b")]).unwrap();
        assert_eq!(form.body, "Action=GetCallerIdentity&Version=2011-06-15&A.member.1=a%20b");
        let tags = clouds_contract::Outputs::from([("a".to_owned(), "b".to_owned())]);
        let form = Form::default().list("RuleArns.member", ["r"]).tags("Tags.member", &tags);
        let rules = Request::regional(RULE_LIST, "eu-west-1", &form).unwrap();
        assert_eq!(rules.url.as_str(), "https://elasticloadbalancing.eu-west-1.amazonaws.com/");
        assert_eq!(
            rules.body,
            "Action=DescribeRules&Version=2015-12-01&RuleArns.member.1=r&Tags.member.1.Key=a&Tags.member.1.Value=b"
        );
        let cluster = Request::json(CLUSTER_GET, ECS, "eu-west-1", &serde_json::json!({})).unwrap();
        let target = ("x-amz-target", "AmazonEC2ContainerServiceV20141113.DescribeClusters".to_owned());
        assert!(cluster.url.as_str() == "https://ecs.eu-west-1.amazonaws.com/" && cluster.headers.contains(&target));
    }
}
