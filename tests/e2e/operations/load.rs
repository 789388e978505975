//! Many at once, and visitors while deployments run.
//!
//! `MIKROCLOUD_DEPLOYS` says how many deployments the steady load goes through (5 when unset).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::wait_until;
use tokio::time::Instant;

use crate::support::fixtures::answering;
use crate::support::harness::{House, PATIENCE};

const PROJECTS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_deployments_at_once_all_end_live_while_the_api_answers() {
    let house = House::start().await;
    let repository = house.repository("hundred");
    repository.commit("main", &[("index.html", "one of a hundred")]);
    let url = repository.url();
    let projects = join_all((0..PROJECTS).map(|index| {
        let input = json!({"name": format!("site-{index}"), "repository": url});
        house.mutate("createProject", "CreateProjectInput", input, "project { id }")
    }));
    let projects: Vec<Value> = projects.await.into_iter().map(|made| made["project"]["id"].clone()).collect();
    let started = Instant::now();
    let triggered = join_all(projects.iter().map(|id| {
        house.mutate("triggerDeployment", "TriggerDeploymentInput", json!({"projectId": id}), "deployment { id status }")
    }));
    for made in triggered.await {
        assert!(made["deployment"]["id"].is_string(), "{made}");
    }
    let mut answers: Vec<Duration> = Vec::new();
    loop {
        let asked = Instant::now();
        house.graphql("{ me { user { email } team { name } } }", json!({})).await;
        answers.push(asked.elapsed());
        let query = "{ projects(first: 100) { nodes { deployments(first: 1) { nodes { status failure { message } } } } } }";
        let data = house.graphql(query, json!({})).await;
        let all: Vec<&Value> =
            data["projects"]["nodes"].as_array().unwrap().iter().map(|p| &p["deployments"]["nodes"][0]).collect();
        assert_eq!(all.len(), PROJECTS);
        if let Some(failed) = all.iter().find(|d| matches!(d["status"].as_str(), Some("FAILED" | "CANCELLED"))) {
            panic!("{failed}");
        }
        if all.iter().all(|deployment| deployment["status"] == "LIVE") {
            break;
        }
        assert!(started.elapsed() < 3 * PATIENCE, "not all are live in time");
    }
    answers.sort();
    let p95 = answers[answers.len() * 95 / 100];
    eprintln!("{PROJECTS} live in {:?}; {{ me }} answered {} times, p95 {p95:?}", started.elapsed(), answers.len());
    for index in [0, 1, 49, 98, 99] {
        assert_eq!(house.body(&format!("site-{index}")).await, "one of a hundred");
    }
}

/// Knowledge of the visitors: versions below `live` are gone, those above `coming` do not exist.
#[derive(Default)]
struct Versions {
    live: AtomicU64,
    coming: AtomicU64,
    stop: AtomicBool,
}

/// Asks again and again, on one connection or each time on a new one; how often, and the first thing that was wrong.
async fn visit(house: &House, versions: &Versions, new_connections: bool) -> Result<u64, String> {
    let builder = reqwest::Client::builder().timeout(Duration::from_secs(20));
    let client = if new_connections { builder.pool_max_idle_per_host(0) } else { builder }.build().unwrap();
    let (url, host) = (house.url("/"), format!("steady.localhost:{}", house.port));
    let mut count = 0;
    while !versions.stop.load(Ordering::SeqCst) {
        let oldest = versions.live.load(Ordering::SeqCst);
        let answer = async {
            let response = client.get(&url).header(reqwest::header::HOST, &host).send().await?;
            Ok::<_, reqwest::Error>((response.status(), response.text().await?))
        };
        let (status, body) = answer.await.map_err(|error| format!("after {count} requests: {error:?}"))?;
        let newest = versions.coming.load(Ordering::SeqCst);
        let version = body.strip_prefix("version ").and_then(|number| number.parse::<u64>().ok());
        if status != 200 || version.is_none_or(|version| !(oldest..=newest).contains(&version)) {
            return Err(format!("after {count} requests: {status} `{body}`, but versions {oldest} to {newest} are there"));
        }
        count += 1;
    }
    Ok(count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_at_a_steady_load_through_deployments_of_a_server() {
    let deploys = std::env::var("MIKROCLOUD_DEPLOYS").map_or(5, |text| text.parse().expect("a number"));
    let house = Arc::new(House::start().await);
    let deploy = async |version: u64| {
        // It takes a moment to answer, so that requests are under way whenever it is replaced.
        let code = answering("''")
            .replace("response.end(String(''))", &format!("setTimeout(() => response.end('version {version}'), 3)"));
        house.deploy(house.node("steady", &code), &[]).await;
    };
    deploy(0).await;
    let versions = Arc::new(Versions::default());
    let visitors: Vec<_> = [false, false, true]
        .into_iter()
        .map(|new_connections| {
            let (house, versions) = (Arc::clone(&house), Arc::clone(&versions));
            tokio::spawn(async move { visit(&house, &versions, new_connections).await })
        })
        .collect();
    let started = Instant::now();
    for version in 1..=deploys {
        versions.coming.store(version, Ordering::SeqCst);
        deploy(version).await;
        // From here on nobody may see an older one.
        versions.live.store(version, Ordering::SeqCst);
    }
    versions.stop.store(true, Ordering::SeqCst);
    let mut requests = 0;
    for visitor in visitors {
        requests += visitor.await.unwrap().unwrap();
    }
    eprintln!("{deploys} deployments, {requests} requests in {:?}, none failed", started.elapsed());
    assert!(requests > 50 * deploys, "{requests} requests are no load");
    // The old ones are stopped once they are drained and nobody shows them.
    wait_until(PATIENCE, "the newest version", async || house.body("steady").await == format!("version {deploys}")).await;
}
