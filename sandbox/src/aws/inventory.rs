//! Things that exist in moto, by the lists of its services.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::moto::Server;
use super::xml::Element;
use crate::inventory::Item;
use crate::world::World;

/// Lists of services that speak JSON: service, target, field of the items, their name (empty: the item itself), and kind.
const JSON: [(&str, &str, &str, &str, &str); 6] = [
    ("ecs", "AmazonEC2ContainerServiceV20141113.ListTaskDefinitions", "taskDefinitionArns", "", "ecs.taskDefinitions"),
    ("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", "repositories", "repositoryArn", "ecr.repositories"),
    ("logs", "Logs_20140328.DescribeLogGroups", "logGroups", "logGroupName", "logs.logGroups"),
    ("ssm", "AmazonSSM.DescribeParameters", "Parameters", "Name", "ssm.parameters"),
    ("secretsmanager", "secretsmanager.ListSecrets", "SecretList", "ARN", "secretsmanager.secrets"),
    ("codebuild", "CodeBuild_20161006.ListProjects", "projects", "", "codebuild.projects"),
];

/// Lists of services that speak forms: service, version, action, place of the items, name, and kind.
const FORMS: [(&str, &str, &str, &str, &str, &str); 4] = [
    (
        "elasticloadbalancing",
        "2015-12-01",
        "DescribeLoadBalancers",
        "DescribeLoadBalancersResult/LoadBalancers",
        "LoadBalancerArn",
        "elasticloadbalancing.loadBalancers",
    ),
    (
        "elasticloadbalancing",
        "2015-12-01",
        "DescribeTargetGroups",
        "DescribeTargetGroupsResult/TargetGroups",
        "TargetGroupArn",
        "elasticloadbalancing.targetGroups",
    ),
    ("iam", "2010-05-08", "ListRoles", "ListRolesResult/Roles", "Arn", "iam.roles"),
    ("ec2", "2016-11-15", "DescribeSecurityGroups", "securityGroupInfo", "groupId", "ec2.securityGroups"),
];

/// Everything that exists in moto, in the regions that were spoken to.
pub(super) async fn inventory(server: &Server, world: &World) -> Vec<Item> {
    let mut items = Vec::new();
    for region in server.regions() {
        for (service, target, field, name, kind) in JSON {
            let found = json_list(server, service, &region, target, "{}").await;
            items.extend(
                found[field].as_array().into_iter().flatten().filter_map(|item| named(item, name)).map(|name| item(kind, &name)),
            );
        }
        items.extend(clusters(server, &region).await);
        items.extend(functions(server, &region).await);
        for (service, version, action, place, name, kind) in FORMS {
            items.extend(
                form_list(server, &region, (service, version, action), place)
                    .await
                    .iter()
                    .filter(|found| !comes_along(kind, found))
                    .map(|found| item(kind, found.text_at(name))),
            );
        }
    }
    items.extend(objects(server).await);
    let services = world.lock();
    items.extend(
        services
            .aws
            .iter()
            .filter(|(_, object)| object.kind == super::SERVICE)
            .map(|(_, object)| item(super::SERVICE, object.text("/serviceArn"))),
    );
    drop(services);
    items.sort_by(|one, other| one.key.cmp(&other.key));
    items.dedup_by(|one, other| one.key == other.key);
    items
}

fn item(kind: &str, name: &str) -> Item {
    Item::new("aws", kind, &format!("{kind}/{name}"), name.to_owned(), BTreeMap::new(), false)
}

fn named(item: &Value, name: &str) -> Option<String> {
    let text = if name.is_empty() { item.as_str() } else { item[name].as_str() };
    text.map(str::to_owned)
}

/// Returns true for what every account has.
fn comes_along(kind: &str, found: &Element) -> bool {
    match kind {
        "ec2.securityGroups" => found.text_at("groupName") == "default",
        "iam.roles" => found.text_at("Path").starts_with("/aws-service-role/"),
        _ => false,
    }
}

async fn json_list(server: &Server, service: &str, region: &str, target: &str, body: &str) -> Value {
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    let answer = server.ask(service, region, Method::POST, "/", &headers, body.to_owned()).await;
    answer.ok().and_then(|answer| serde_json::from_slice(&answer.body).ok()).unwrap_or_default()
}

async fn form_list(server: &Server, region: &str, (service, version, action): (&str, &str, &str), place: &str) -> Vec<Element> {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = server.ask(service, region, Method::POST, "/", &headers, format!("Action={action}&Version={version}")).await;
    let document = answer.ok().and_then(|answer| Element::parse(&answer.body)).unwrap_or_default();
    document.items(place).to_vec()
}

/// Clusters of ECS. Moto lists those that were removed, too.
async fn clusters(server: &Server, region: &str) -> Vec<Item> {
    let target = |operation: &str| format!("AmazonEC2ContainerServiceV20141113.{operation}");
    let listed = json_list(server, "ecs", region, &target("ListClusters"), "{}").await;
    if listed["clusterArns"].as_array().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let body = json!({"clusters": listed["clusterArns"]}).to_string();
    let described = json_list(server, "ecs", region, &target("DescribeClusters"), &body).await;
    let exist = described["clusters"].as_array().into_iter().flatten().filter(|cluster| cluster["status"] != json!("INACTIVE"));
    exist.filter_map(|cluster| named(cluster, "clusterArn")).map(|name| item("ecs.clusters", &name)).collect()
}

async fn functions(server: &Server, region: &str) -> Vec<Item> {
    let answer = server.ask("lambda", region, Method::GET, "/2015-03-31/functions/", &[], String::new()).await;
    let found: Value = answer.ok().and_then(|answer| serde_json::from_slice(&answer.body).ok()).unwrap_or_default();
    found["Functions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|function| named(function, "FunctionArn"))
        .map(|name| item("lambda.functions", &name))
        .collect()
}

/// Buckets, with their objects.
async fn objects(server: &Server) -> Vec<Item> {
    let read = async |path: String| {
        let answer = server.ask("s3", "us-east-1", Method::GET, &path, &[], String::new()).await;
        answer.ok().and_then(|answer| Element::parse(&answer.body)).unwrap_or_default()
    };
    let mut items = Vec::new();
    for bucket in read("/".to_owned()).await.items("Buckets") {
        let name = bucket.text_at("Name");
        items.push(item("s3.buckets", name));
        let listed = read(format!("/{name}?list-type=2")).await;
        let keys = listed
            .children
            .iter()
            .filter(|child| child.name == "Contents")
            .map(|object| format!("{name}/{}", object.text_at("Key")));
        items.extend(keys.map(|key| item("s3.objects", &key)));
    }
    items
}
