//! AWS: moto, and before it what moto lacks. Without moto these tests have nothing to ask, which CI does not accept.

use base64::Engine as _;
use http::StatusCode;
use md5::Digest as _;
use serde_json::{Value, json};

use crate::images::{image, push, server};
use crate::support::{Bench, Got, settings};

const REGION: &str = "eu-west-1";
const CLOUDFRONT: &str = "https://cloudfront.amazonaws.com/2020-05-31";
const XMLNS: &str = "xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"";

struct Aws {
    bench: Bench,
    key: String,
    /// Holds the program of moto.
    _folder: tempfile::TempDir,
}

impl Aws {
    /// A signed-in bench; `None` where there is no moto.
    async fn start(test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let moto = sandbox::Moto::Program(testkit::moto_server(folder.path())?);
        let bench = Bench::with(sandbox::Settings { moto, ..settings(test) }).await;
        let principal = bench.control("POST", "principals", json!({"cloud": "aws"})).await.good();
        Some(Self { bench, key: principal["id"].as_str().unwrap().to_owned(), _folder: folder })
    }

    async fn send(&self, service: &str, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Got {
        let region = if service.starts_with("cloudfront") { "us-east-1" } else { REGION };
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={}/20261001/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0",
            self.key
        );
        let headers = [&[("authorization", scope.as_str())], headers].concat();
        self.bench.bytes(method, url, &headers, body.to_owned()).await.unwrap()
    }

    async fn xml(&self, method: &str, path: &str, etag: &str, body: &str) -> Got {
        let mut headers = vec![("content-type", "application/xml")];
        if !etag.is_empty() {
            headers.push(("if-match", etag));
        }
        self.send("cloudfront", method, &format!("{CLOUDFRONT}/{path}"), &headers, body).await
    }

    async fn json(&self, service: &str, target: &str, body: Value) -> Value {
        let url = format!("https://{service}.{REGION}.amazonaws.com/");
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        self.send(service, "POST", &url, &headers, &body.to_string()).await.good()
    }

    async fn form(&self, service: &str, body: &str) -> String {
        let url = format!("https://{service}.{REGION}.amazonaws.com/");
        let got = self.send(service, "POST", &url, &[("content-type", "application/x-www-form-urlencoded")], body).await;
        assert!(got.status.is_success(), "{} {}", got.status, got.text());
        got.text()
    }

    async fn s3(&self, method: &str, path: &str, body: &str) -> Got {
        let kind = if body.starts_with('<') { "application/xml" } else { "text/html" };
        let checksum = base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(body));
        let headers = [("content-type", kind), ("content-md5", checksum.as_str())];
        self.send("s3", method, &format!("https://s3.{REGION}.amazonaws.com/{path}"), &headers, body).await
    }
}

/// The text of the first element with this name.
fn text(document: &str, name: &str) -> String {
    let after = document.split(&format!("<{name}>")).nth(1).unwrap_or_else(|| panic!("no {name} in {document}"));
    after.split('<').next().unwrap().to_owned()
}

fn distribution(origin: &str, function: &str, enabled: bool) -> String {
    let associations = if function.is_empty() {
        "<Quantity>0</Quantity>".to_owned()
    } else {
        format!(
            "<Quantity>1</Quantity><Items><FunctionAssociation><FunctionARN>{function}</FunctionARN><EventType>viewer-request</EventType></FunctionAssociation></Items>"
        )
    };
    format!(
        "<DistributionConfig {XMLNS}><CallerReference>r-{}</CallerReference><Origins><Quantity>1</Quantity><Items>{origin}</Items></Origins>\
         <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>redirect-to-https</ViewerProtocolPolicy>\
         <FunctionAssociations>{associations}</FunctionAssociations><CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId>\
         </DefaultCacheBehavior><Comment>mikrocloud</Comment><Enabled>{enabled}</Enabled></DistributionConfig>",
        origin.len()
    )
}

async fn deployed(aws: &Aws, id: &str) -> Got {
    let ask = async {
        loop {
            let got = aws.xml("GET", &format!("distribution/{id}"), "", "").await;
            if text(&got.text(), "Status") == "Deployed" {
                return got;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(40), ask).await.expect("the distribution is deployed")
}

/// A function that reads a store; the ARNs of both.
async fn viewer(aws: &Aws) -> (String, String) {
    let store = format!(
        "<CreateKeyValueStoreRequest {XMLNS}><Name>mc-hosts</Name><Comment>mikrocloud</Comment></CreateKeyValueStoreRequest>"
    );
    let made = aws.xml("POST", "key-value-store", "", &store).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let store = text(&made.text(), "ARN");
    while text(&aws.xml("GET", "key-value-store/mc-hosts", "", "").await.text(), "Status") != "READY" {}
    let function = format!(
        "<CreateFunctionRequest {XMLNS}><Name>mc-viewer</Name><FunctionConfig><Comment>mikrocloud</Comment><Runtime>cloudfront-js-2.0</Runtime>\
         <KeyValueStoreAssociations><Quantity>1</Quantity><Items><KeyValueStoreAssociation><KeyValueStoreARN>{store}</KeyValueStoreARN>\
         </KeyValueStoreAssociation></Items></KeyValueStoreAssociations></FunctionConfig><FunctionCode>ZnVuY3Rpb24=</FunctionCode></CreateFunctionRequest>"
    );
    let made = aws.xml("POST", "function", "", &function).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let published = aws.xml("POST", "function/mc-viewer/publish", made.header("etag"), "").await;
    assert_eq!(published.status, StatusCode::OK, "{}", published.text());
    (text(&made.text(), "FunctionARN"), store)
}

/// Writes a key, with the entity tag that was read before.
async fn put_key(aws: &Aws, store: &str, key: &str, value: &str) {
    let base = format!("https://123456789012.cloudfront-kvs.global.api.aws/key-value-stores/{}", store.replace('/', "%2F"));
    let service = "cloudfront-keyvaluestore";
    let described = aws.send(service, "GET", &base, &[], "").await;
    let etag = described.header("etag").to_owned();
    let body = json!({"Value": value}).to_string();
    let headers = [("content-type", "application/json"), ("if-match", etag.as_str())];
    aws.send(service, "PUT", &format!("{base}/keys/{key}"), &headers, &body).await.good();
    let stale = aws.send(service, "PUT", &format!("{base}/keys/{key}"), &headers, &body).await;
    assert_eq!((stale.status, stale.header("x-amzn-errortype")), (StatusCode::CONFLICT, "ConflictException"));
}

async fn disable(aws: &Aws, id: &str, origin: &str, function: &str) {
    let current = deployed(aws, id).await.header("etag").to_owned();
    let enabled = aws.xml("DELETE", &format!("distribution/{id}"), &current, "").await;
    assert!(enabled.text().contains("DistributionNotDisabled"), "{}", enabled.text());
    let stale = aws.xml("PUT", &format!("distribution/{id}/config"), "E0", &distribution(origin, function, false)).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let updated = aws.xml("PUT", &format!("distribution/{id}/config"), &current, &distribution(origin, function, false)).await;
    assert_ne!(updated.header("etag"), current, "{}", updated.text());
    let etag = deployed(aws, id).await.header("etag").to_owned();
    assert_eq!(aws.xml("DELETE", &format!("distribution/{id}"), &etag, "").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_site_is_switched_by_a_key() {
    let Some(aws) = Aws::start("aws-site").await else { return };
    let location =
        format!("<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>");
    aws.s3("PUT", "mc-files", &location).await.good_text();
    for name in ["d1", "d2"] {
        aws.s3("PUT", &format!("mc-files/sites/{name}/index.html"), name).await.good_text();
    }
    let control = format!(
        "<OriginAccessControlConfig {XMLNS}><Name>mc-files</Name><SigningProtocol>sigv4</SigningProtocol><SigningBehavior>always</SigningBehavior>\
         <OriginAccessControlOriginType>s3</OriginAccessControlOriginType></OriginAccessControlConfig>"
    );
    let control = aws.xml("POST", "origin-access-control", "", &control).await;
    let id = text(&control.text(), "Id");
    let (function, store) = viewer(&aws).await;
    let origin = format!(
        "<Origin><Id>o</Id><DomainName>mc-files.s3.{REGION}.amazonaws.com</DomainName><OriginAccessControlId>{id}</OriginAccessControlId>\
         <S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig></Origin>"
    );
    let made = aws.xml("POST", "distribution", "", &distribution(&origin, &function, true)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let (distribution, domain) = (text(&made.text(), "Id"), text(&made.text(), "DomainName"));
    let early = aws.bench.visit(&domain, "/").await;
    assert!(early.text().contains("InProgress"), "{}", early.text());
    let shown = deployed(&aws, &distribution).await;
    assert!(shown.text().contains(&format!("<OriginAccessControlId>{id}</OriginAccessControlId>")), "{}", shown.text());
    assert!(aws.bench.visit(&domain, "/").await.text().contains("has no key"));
    put_key(&aws, &store, &domain, "{\"d\":\"d1\"}").await;
    assert_eq!(aws.bench.visit(&domain, "/").await.status, StatusCode::FORBIDDEN);
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mc-files/*",
        "Condition": {"StringLike": {"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/*"}},
    }]});
    aws.s3("PUT", "mc-files?policy", &policy.to_string()).await.good_text();
    let home = aws.bench.visit(&domain, "/").await;
    assert_eq!(
        (home.text().as_str(), home.header("content-type"), home.header("x-mikrocloud-simulated")),
        ("d1", "text/html", "aws cloudfront")
    );
    put_key(&aws, &store, &domain, "{\"d\":\"d2\"}").await;
    assert_eq!(aws.bench.visit(&domain, "/").await.text(), "d2");
    let used = aws.xml("DELETE", &format!("origin-access-control/{id}"), control.header("etag"), "").await;
    assert!(used.text().contains("OriginAccessControlInUse"), "{}", used.text());
    disable(&aws, &distribution, &origin, &function).await;
    assert_eq!(
        aws.xml("DELETE", &format!("origin-access-control/{id}"), control.header("etag"), "").await.status,
        StatusCode::NO_CONTENT
    );
    let etag = aws.xml("GET", "function/mc-viewer/describe?Stage=LIVE", "", "").await.header("etag").to_owned();
    assert_eq!(aws.xml("DELETE", "function/mc-viewer", &etag, "").await.status, StatusCode::NO_CONTENT);
    let etag = aws.xml("GET", "key-value-store/mc-hosts", "", "").await.header("etag").to_owned();
    assert_eq!(aws.xml("DELETE", "key-value-store/mc-hosts", &etag, "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(aws.bench.inventory("aws").await.len(), 3, "{:?}", aws.bench.inventory("aws").await);
    for name in ["mc-files/sites/d1/index.html", "mc-files/sites/d2/index.html", "mc-files"] {
        aws.s3("DELETE", name, "").await.good_text();
    }
    assert_eq!(aws.bench.inventory("aws").await, Vec::<String>::new());
}

/// Pushes an image into a new repository and returns its reference.
async fn pushed(aws: &Aws) -> String {
    let target = "AmazonEC2ContainerRegistry_V20150921";
    aws.json("ecr", &format!("{target}.CreateRepository"), json!({"repositoryName": "mc-apps"})).await;
    let granted = aws.json("ecr", &format!("{target}.GetAuthorizationToken"), json!({})).await;
    let basic = format!("Basic {}", granted["authorizationData"][0]["authorizationToken"].as_str().unwrap());
    let host = format!("123456789012.dkr.ecr.{REGION}.amazonaws.com");
    let files = [("server.mjs", server("one"))];
    let files: Vec<_> = files.iter().map(|(name, content)| (*name, content.as_str())).collect();
    let reference = push(&aws.bench, &host, "mc-apps", &basic, image(&files, &["node", "server.mjs"])).await;
    let listed = aws.json("ecr", &format!("{target}.DescribeImages"), json!({"repositoryName": "mc-apps"})).await;
    assert_eq!(listed["imageDetails"].as_array().unwrap().len(), 1);
    reference
}

struct Balancer {
    domain: String,
    group: String,
    subnet: String,
    security: String,
}

/// A load balancer with a rule on a header.
async fn balancer(aws: &Aws) -> Balancer {
    let subnets = aws.form("ec2", "Action=DescribeSubnets&Version=2016-11-15").await;
    let subnets: Vec<_> = subnets.split("<subnetId>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    let vpc = text(&aws.form("ec2", "Action=DescribeVpcs&Version=2016-11-15").await, "vpcId");
    let version = "Version=2015-12-01";
    let made = format!(
        "Action=CreateLoadBalancer&{version}&Name=mc-front&Subnets.member.1={}&Subnets.member.2={}",
        subnets[0], subnets[1]
    );
    let balancer = aws.form("elasticloadbalancing", &made).await;
    let made = format!("Action=CreateTargetGroup&{version}&Name=mc-web&Protocol=HTTP&Port=8080&VpcId={vpc}&TargetType=ip");
    let group = text(&aws.form("elasticloadbalancing", &made).await, "TargetGroupArn");
    let made = format!(
        "Action=CreateListener&{version}&LoadBalancerArn={}&Protocol=HTTP&Port=80&DefaultActions.member.1.Type=fixed-response\
         &DefaultActions.member.1.FixedResponseConfig.StatusCode=403",
        text(&balancer, "LoadBalancerArn")
    );
    let listener = text(&aws.form("elasticloadbalancing", &made).await, "ListenerArn");
    let made = format!(
        "Action=CreateRule&{version}&ListenerArn={listener}&Priority=1&Conditions.member.1.Field=http-header\
         &Conditions.member.1.HttpHeaderConfig.HttpHeaderName=x-mikrocloud-place&Conditions.member.1.HttpHeaderConfig.Values.member.1=p1.secret\
         &Actions.member.1.Type=forward&Actions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn={group}\
         &Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=100"
    );
    aws.form("elasticloadbalancing", &made).await;
    let security = text(&aws.form("ec2", "Action=DescribeSecurityGroups&Version=2016-11-15").await, "groupId");
    Balancer { domain: text(&balancer, "DNSName"), group, subnet: subnets[0].to_owned(), security }
}

#[tokio::test]
async fn a_service_is_reached_through_the_whole_chain() {
    let Some(aws) = Aws::start("aws-service").await else { return };
    let reference = pushed(&aws).await;
    let Balancer { domain, group, subnet, security } = balancer(&aws).await;
    let ecs = "AmazonEC2ContainerServiceV20141113";
    aws.json(
        "ssm",
        "AmazonSSM.PutParameter",
        json!({"Name": "/mikrocloud/e1/1/GREETING", "Value": "secret", "Type": "SecureString"}),
    )
    .await;
    aws.json("ecs", &format!("{ecs}.CreateCluster"), json!({"clusterName": "mc"})).await;
    let definition = json!({
        "family": "mc-web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/mc-execution",
        "containerDefinitions": [{
            "name": "app", "image": reference, "memory": 512, "portMappings": [{"containerPort": 8080}],
            "secrets": [{"name": "GREETING", "valueFrom": format!("arn:aws:ssm:{REGION}:123456789012:parameter/mikrocloud/e1/1/GREETING")}],
        }],
    });
    let definition = aws.json("ecs", &format!("{ecs}.RegisterTaskDefinition"), definition).await;
    let service = json!({
        "cluster": "mc", "serviceName": "mc-web", "taskDefinition": definition["taskDefinition"]["taskDefinitionArn"], "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [security], "assignPublicIp": "ENABLED"}},
        "loadBalancers": [{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}],
    });
    let made = aws.json("ecs", &format!("{ecs}.CreateService"), service.clone()).await;
    assert_eq!(made["service"]["runningCount"], json!(0));
    refuses_services(&aws, &service).await;
    let ask = async {
        loop {
            let got = aws.json("ecs", &format!("{ecs}.DescribeServices"), json!({"cluster": "mc", "services": ["mc-web"]})).await;
            let state = got["services"][0]["deployments"][0]["rolloutState"].clone();
            assert_ne!(state, json!("FAILED"), "{got}");
            if state == json!("COMPLETED") {
                return got;
            }
        }
    };
    let steady = tokio::time::timeout(std::time::Duration::from_secs(40), ask).await.expect("the service is steady");
    assert_eq!(steady["services"][0]["runningCount"], json!(1));
    assert_eq!(text(&health(&aws, &group).await, "State"), "healthy");
    assert_eq!(aws.bench.visit(&domain, "/").await.status, StatusCode::FORBIDDEN);
    let origin = format!(
        "<Origin><Id>o</Id><DomainName>{domain}</DomainName><CustomHeaders><Quantity>1</Quantity><Items><OriginCustomHeader>\
         <HeaderName>x-mikrocloud-place</HeaderName><HeaderValue>p1.secret</HeaderValue></OriginCustomHeader></Items></CustomHeaders>\
         <CustomOriginConfig><HTTPPort>80</HTTPPort><HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin>"
    );
    let made = aws.xml("POST", "distribution", "", &distribution(&origin, "", true)).await;
    let (id, host) = (text(&made.text(), "Id"), text(&made.text(), "DomainName"));
    deployed(&aws, &id).await;
    assert_eq!(aws.bench.visit(&host, "/a?b=c").await.text(), "one /a?b=c secret");
    aws.json("ecs", &format!("{ecs}.UpdateService"), json!({"cluster": "mc", "service": "mc-web", "desiredCount": 0})).await;
    let resting = aws.bench.visit(&host, "/").await;
    assert!(resting.text().contains("no targets"), "{}", resting.text());
    let holds = aws.bench.inventory("aws").await;
    for wanted in [
        "ecs.services ",
        "ecs.clusters ",
        "ecr.repositories ",
        "elasticloadbalancing.loadBalancers ",
        "ssm.parameters ",
        "image ",
    ] {
        assert!(holds.iter().any(|item| item.starts_with(wanted)), "{wanted}: {holds:?}");
    }
    assert!(!health(&aws, &group).await.contains("<State>"));
    drains(&aws).await;
}

/// A service that is removed ends its tasks first, and neither it nor its cluster is left.
async fn drains(aws: &Aws) {
    let ecs = async |operation: &str, body: Value| {
        aws.json("ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), body).await
    };
    ecs("DeleteService", json!({"cluster": "mc", "service": "mc-web", "force": true})).await;
    let mut states = Vec::new();
    while states.last() != Some(&json!("INACTIVE")) {
        let got = ecs("DescribeServices", json!({"cluster": "mc", "services": ["mc-web"]})).await;
        states.push(got["services"][0]["status"].clone());
    }
    assert_eq!(states[0], json!("DRAINING"));
    ecs("DeleteCluster", json!({"cluster": "mc"})).await;
    let holds = aws.bench.inventory("aws").await;
    assert!(!holds.iter().any(|item| item.starts_with("ecs.services ") || item.starts_with("ecs.clusters ")), "{holds:?}");
}

/// Health of the targets of a group.
async fn health(aws: &Aws, group: &str) -> String {
    aws.form("elasticloadbalancing", &format!("Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn={group}")).await
}

/// A name that is taken, and a target group that no load balancer sends requests to, are refused as ECS refuses them.
async fn refuses_services(aws: &Aws, service: &Value) {
    let network = text(&aws.form("ec2", "Action=DescribeVpcs&Version=2016-11-15").await, "vpcId");
    let made = format!(
        "Action=CreateTargetGroup&Version=2015-12-01&Name=mc-alone&Protocol=HTTP&Port=8080&VpcId={network}&TargetType=ip"
    );
    let alone = text(&aws.form("elasticloadbalancing", &made).await, "TargetGroupArn");
    let mut other = service.clone();
    other["serviceName"] = json!("mc-alone");
    other["loadBalancers"][0]["targetGroupArn"] = json!(alone);
    for (service, reason) in [(service, "was not idempotent"), (&other, "does not have an associated load balancer")] {
        let target = "AmazonEC2ContainerServiceV20141113.CreateService";
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
        let url = format!("https://ecs.{REGION}.amazonaws.com/");
        let got = aws.send("ecs", "POST", &url, &headers, &service.to_string()).await;
        assert_eq!((got.status, got.json()["__type"].clone()), (StatusCode::BAD_REQUEST, json!("InvalidParameterException")));
        assert!(got.text().contains(reason), "{}", got.text());
    }
}

#[tokio::test]
async fn keys_permissions_and_faults_are_those_of_aws() {
    let Some(aws) = Aws::start("aws-login").await else { return };
    let stranger = Aws { key: "AKIANOBODY".to_owned(), ..aws };
    let refused = stranger.s3("GET", "", "").await;
    assert!(refused.text().contains("InvalidAccessKeyId"), "{}", refused.text());
    let listed = stranger.bench.control("GET", "principals", Value::Null).await.good();
    let key = listed["principals"][0]["id"].as_str().unwrap().to_owned();
    let aws = Aws { key: key.clone(), ..stranger };
    aws.bench.control("PATCH", &format!("principals/aws/{key}"), json!({"denied": ["ecs:CreateCluster"]})).await.good();
    let headers =
        [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AmazonEC2ContainerServiceV20141113.CreateCluster")];
    let denied = aws.send("ecs", "POST", &format!("https://ecs.{REGION}.amazonaws.com/"), &headers, "{}").await;
    assert_eq!(denied.json()["__type"], json!("AccessDeniedException"));
    aws.bench.control("POST", "faults", json!({"service": "ecs", "action": {"throttle": {}}})).await.good();
    let throttled = aws.send("ecs", "POST", &format!("https://ecs.{REGION}.amazonaws.com/"), &headers, "{}").await;
    assert_eq!(throttled.json()["__type"], json!("ThrottlingException"));
    let counts = aws.bench.control("GET", "requests", Value::Null).await.good();
    assert_eq!(counts["aws"]["services"]["ecs"], json!(2));
}

#[tokio::test]
async fn without_moto_aws_says_what_is_missing() {
    let moto = sandbox::Moto::Program("/no/such/moto_server".into());
    let bench = Bench::with(sandbox::Settings { moto, ..settings("aws-none") }).await;
    let got = bench.get("https://s3.eu-west-1.amazonaws.com/").await;
    assert_eq!(got.status, StatusCode::NOT_IMPLEMENTED);
    assert!(got.text().contains("moto"), "{}", got.text());
}
