//! Every operation of the REST API, tried by everybody who must not do it. The OpenAPI document says which there are: one that is not in
//! this table fails the test.

use std::collections::BTreeSet;

use domain::access::Permission::{
    self, AuditRead, DeploymentApprove, DeploymentWrite, JobWrite, ProjectDelete, ProjectRead, ProjectWrite, VariableRead,
    VariableWrite,
};
use reqwest::Method;
use serde_json::Value;

use super::operations::On;
use super::world::{self, World};
use super::{Outcome, REFUSED, Who, expected};
use crate::support::harness::House;

/// An operation: method, path in the document, what it takes and on what, the query and body that try it.
type Call = (&'static str, &'static str, Permission, On, &'static str, &'static str);

/// Every operation. The owner goes through them in this order, so those that take things away stand last.
#[rustfmt::skip]
const CALLS: [Call; 32] = [
    ("GET", "/api/v1/projects", ProjectRead, On::Visible, "", ""),
    ("GET", "/api/v1/projects/{id}", ProjectRead, On::Part, "", ""),
    ("GET", "/api/v1/projects/{id}/environments", ProjectRead, On::Part, "", ""),
    ("GET", "/api/v1/projects/{id}/events", ProjectRead, On::Part, "", ""),
    ("GET", "/api/v1/projects/{id}/env", VariableRead, On::Part, "?environment=guarded", ""),
    ("GET", "/api/v1/functions", ProjectRead, On::Part, "?projectId=<project>&environment=guarded", ""),
    ("GET", "/api/v1/domains", ProjectRead, On::Part, "?projectId=<project>", ""),
    ("GET", "/api/v1/domains/{id}", ProjectRead, On::Part, "", ""),
    ("GET", "/api/v1/deployments", ProjectRead, On::Part, "?projectId=<project>", ""),
    ("GET", "/api/v1/deployments/{id}", ProjectRead, On::Part, "", ""),
    ("GET", "/api/v1/deployments/{id}/events", ProjectRead, On::Part, "", ""),
    ("GET", "/api/v1/deployments/{id}/logs", ProjectRead, On::Part, "", ""),
    ("GET", "/api/v1/jobs", ProjectRead, On::Team, "", ""),
    ("GET", "/api/v1/jobs/{id}", ProjectRead, On::TeamItem, "", ""),
    ("GET", "/api/v1/jobs/{id}/failures", ProjectRead, On::TeamItem, "", ""),
    ("GET", "/api/v1/audit", AuditRead, On::Team, "", ""),
    ("GET", "/api/v1/audit/export", AuditRead, On::Team, "", ""),
    // What is uploaded is one's own team's.
    ("POST", "/api/v1/uploads", DeploymentWrite, On::Visible, "", ""),
    ("POST", "/api/v1/projects", ProjectWrite, On::Team, "", "{\"name\": \"<new>\"}"),
    ("PATCH", "/api/v1/projects/{id}", ProjectWrite, On::Part, "", "{\"reference\": \"main\"}"),
    ("PATCH", "/api/v1/projects/{id}/env", VariableWrite, On::Part, "", "{\"environment\": \"guarded\", \"variables\": [{\"name\": \"A\", \"value\": \"b\"}]}"),
    ("POST", "/api/v1/domains", ProjectWrite, On::Part, "", "{\"projectId\": \"<project>\", \"environment\": \"guarded\", \"name\": \"<new>.example\"}"),
    ("POST", "/api/v1/domains/{id}/verify", ProjectWrite, On::Part, "", ""),
    ("PATCH", "/api/v1/domains/{id}", ProjectWrite, On::Part, "", "{\"environment\": \"guarded\"}"),
    ("DELETE", "/api/v1/domains/{id}", ProjectWrite, On::Part, "", ""),
    ("DELETE", "/api/v1/projects/{id}/env/{name}", VariableWrite, On::Part, "?environment=guarded", ""),
    ("POST", "/api/v1/deployments/{id}/approve", DeploymentApprove, On::Part, "", "{}"),
    ("POST", "/api/v1/deployments/{id}/promote", DeploymentWrite, On::Part, "", "{\"environment\": \"guarded\"}"),
    ("POST", "/api/v1/projects/{id}/rollback", DeploymentWrite, On::Part, "", ""),
    ("POST", "/api/v1/deployments/{id}/reject", DeploymentApprove, On::Part, "", ""),
    ("POST", "/api/v1/deployments/{id}/cancel", DeploymentWrite, On::Part, "", ""),
    ("POST", "/api/v1/deployments", DeploymentWrite, On::Part, "", "{\"projectId\": \"<project>\", \"environment\": \"guarded\"}"),
];

/// The last: nothing is there after them.
#[rustfmt::skip]
const LAST_CALLS: [Call; 3] = [
    ("POST", "/api/v1/jobs/{id}/retry", JobWrite, On::TeamItem, "", ""),
    ("POST", "/api/v1/jobs/{id}/discard", JobWrite, On::TeamItem, "", ""),
    ("DELETE", "/api/v1/projects/{id}", ProjectDelete, On::Part, "", ""),
];

fn calls() -> impl Iterator<Item = Call> {
    CALLS.into_iter().chain(LAST_CALLS)
}

/// The operations that the document has.
async fn in_the_document(house: &House) -> BTreeSet<(String, String)> {
    let document: Value = house.http.get(house.url("/api/v1/openapi.json")).send().await.unwrap().json().await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let path = path.clone();
        item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

fn outcome(status: u16, answer: &str) -> Outcome {
    match status {
        401 => Outcome::Unauthenticated,
        403 => Outcome::Forbidden,
        404 => Outcome::NotFound,
        200..300 | 422 => Outcome::Taken,
        _ => panic!("an unexpected answer: {status} {answer}"),
    }
}

/// The path with what the team has in place of its variables.
fn path(template: &str) -> String {
    let id =
        ["projects", "deployments", "domains", "jobs"].into_iter().find(|noun| template.contains(&format!("/{noun}/{{id}}")));
    let id = id.map(|noun| format!("<{}>", noun.trim_end_matches('s'))).unwrap_or_default();
    template.replace("{id}", &id).replace("{name}", "ABSENT")
}

/// Status and text of an answer; of a stream that has begun only the status.
async fn attempt(house: &House, world: &World, who: Who, call: Call, accept: &str) -> (u16, String) {
    let (method, template, permission, _, query, body) = call;
    let address = world.filled(&format!("{}{query}", path(template)));
    let mut request =
        house.http.request(Method::from_bytes(method.as_bytes()).unwrap(), house.url(&address)).header("accept", accept);
    if let Some(token) = world.token(who, Some(permission)) {
        request = request.bearer_auth(token);
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(world.filled(body));
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let is_stream = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
    (status, if is_stream { String::new() } else { response.text().await.unwrap() })
}

#[tokio::test]
async fn nobody_does_over_rest_what_they_must_not() {
    let house = world::house().await;
    let known: BTreeSet<_> = calls().map(|(method, path, ..)| (method.to_owned(), path.to_owned())).collect();
    let there = in_the_document(&house).await;
    assert_eq!(there, known, "classify each operation in tests/e2e/authorisation/rest.rs: what it takes, and on what");
    let world = World::new(&house).await;
    let (mut wrong, mut requests) = (Vec::new(), 0);
    for call in calls() {
        let (method, template, permission, on, ..) = call;
        let can_stream = template.ends_with("/events") || template.ends_with("/logs");
        for accept in ["application/json", "text/event-stream"].into_iter().take(if can_stream { 2 } else { 1 }) {
            for who in REFUSED {
                let (status, answer) = attempt(&house, &world, who, call, accept).await;
                requests += 1;
                let (found, expected) = (outcome(status, &answer), expected(who, Some(permission), on));
                if found != expected {
                    wrong.push(format!("{method} {template} by {who:?}: {found:?}, not {expected:?}: {answer}"));
                }
                if who != Who::Viewer && world.tells(&Value::from(answer.clone())) {
                    wrong.push(format!("{method} {template} told {who:?}: {answer}"));
                }
            }
        }
    }
    for call in calls() {
        let (status, answer) = attempt(&house, &world, Who::Owner, call, "application/json").await;
        requests += 1;
        if outcome(status, &answer) != Outcome::Taken {
            wrong.push(format!("{} {} by the owner: {status} {answer}", call.0, call.1));
        }
    }
    assert!(wrong.is_empty(), "{} of {requests}:\n{}", wrong.len(), wrong.join("\n"));
    println!("{} operations x {} cases: {requests} requests", known.len(), REFUSED.len() + 1);
}
