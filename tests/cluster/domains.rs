//! Domains of a team's own, served by every edge.

use std::time::Instant;

use serde_json::json;
use testkit::DnsServer;

use crate::harness::{Cluster, PATIENCE, Repository, Shape};

/// A server that says its text. It runs on one of the edges; the other passes requests on.
fn server(text: &str) -> [(&'static str, String); 2] {
    let code = format!("require('http').createServer((_, response) => response.end('{text}')).listen(process.env.PORT);");
    [("package.json", r#"{"scripts": {"start": "node server.js"}}"#.to_owned()), ("server.js", code)]
}

#[tokio::test]
async fn every_edge_serves_a_domain_once_a_worker_saw_its_proof() {
    let Some(dns) = DnsServer::start() else { return };
    let settings =
        vec![("MIKROCLOUD_DNS_SERVER", dns.address().to_string()), ("MIKROCLOUD_BASE_DOMAIN", "apps.example.net".to_owned())];
    let Some(mut cluster) = Cluster::start_with(Shape { apis: 1, workers: 1, edges: 2 }, settings).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "shop");
    let project = cluster.create_project("shop", &repository).await;
    let commit = repository.commit(&server("from one edge"), "shop");
    cluster.trigger(&project, &commit).await;
    assert_eq!(cluster.ended(&project).await[0]["status"], "LIVE");

    let add = "mutation($input: AddDomainInput!) { addDomain(input: $input) { domain { id url records { name value } } } }";
    let input = json!({"projectId": project, "name": "shop.example"});
    let domain = cluster.graphql(add, json!({"input": input})).await["addDomain"]["domain"].take();
    let text = |pointer: &str| domain.pointer(pointer).and_then(|value| value.as_str()).unwrap().to_owned();
    assert!(text("/url").starts_with("http://shop.example"), "{domain}");
    assert_eq!(text("/records/1/value"), "shop.apps.example.net");
    for edge in cluster.of("edge") {
        assert_eq!(cluster.visit_host(edge, "shop.example").await, None, "not before the proof");
    }
    dns.set_txt(&text("/records/0/name"), &text("/records/0/value"));
    let verify = "mutation($input: VerifyDomainInput!) { verifyDomain(input: $input) { domain { id } } }";
    let started = Instant::now();
    for edge in cluster.of("edge") {
        let mut seen = None;
        while seen.as_deref() != Some("from one edge") {
            assert!(started.elapsed() < PATIENCE, "{} shows {seen:?}", cluster.roles[edge].name);
            cluster.graphql(verify, json!({"input": {"domainId": domain["id"]}})).await;
            seen = cluster.visit_host(edge, "Shop.Example:8443").await;
        }
    }
    let remove = "mutation($input: RemoveDomainInput!) { removeDomain(input: $input) { removed } }";
    cluster.graphql(remove, json!({"input": {"domainId": domain["id"]}})).await;
    for edge in cluster.of("edge") {
        while cluster.visit_host(edge, "shop.example").await.is_some() {
            assert!(started.elapsed() < PATIENCE, "{} still shows it", cluster.roles[edge].name);
            cluster.supervise().await;
        }
    }
}
