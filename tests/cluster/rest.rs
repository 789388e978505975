//! REST over several api processes.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use reqwest::Client;
use serde_json::{Value, json};

use crate::harness::{Cluster, Repository, Shape};

/// Longer than the lease of a key whose process died.
const PATIENCE: Duration = Duration::from_mins(2);

/// Number of requests that are under way when their process is killed.
const REQUESTS: usize = 40;

/// Asks for a deployment of a branch with the branch's name as the key; `None` without an answer.
async fn send(http: Client, url: String, token: String, project: String, branch: String) -> Option<(u16, Value)> {
    let request = http.post(url).bearer_auth(token).header("idempotency-key", &branch);
    let response = request.json(&json!({"projectId": project, "reference": branch})).send().await.ok()?;
    Some((response.status().as_u16(), response.json().await.ok()?))
}

/// The branches of all deployments of a project.
async fn deployed(cluster: &Cluster, http: &Client, project: &str) -> Vec<String> {
    let (mut path, mut branches) = (format!("/api/v1/deployments?first=100&projectId={project}"), Vec::new());
    loop {
        let page = http.get(cluster.api_url(1, &path)).bearer_auth(cluster.token()).send().await.unwrap();
        let page: Value = page.json().await.unwrap();
        let nodes = page["nodes"].as_array().unwrap_or_else(|| panic!("{page}"));
        branches.extend(nodes.iter().map(|node| node["source"]["reference"].as_str().unwrap().to_owned()));
        let Some(after) = page["pageInfo"]["endCursor"].as_str().filter(|_| page["pageInfo"]["hasNextPage"] == true) else {
            break;
        };
        path = format!("/api/v1/deployments?first=100&projectId={project}&after={after}");
    }
    branches
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_a_key_is_done_once_though_its_process_is_killed() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 0, edges: 0 }).await else { return };
    let repository = Repository::new(cluster.directory.path(), "shop");
    let project = cluster.create_project("shop", &repository).await;
    let http = Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    let token = cluster.token().to_owned();
    let mut branches: Vec<String> = (0..REQUESTS).map(|number| format!("branch-{number:02}")).collect();
    let to = |api: usize, branch: &String| {
        let url = cluster.api_url(api, "/api/v1/deployments");
        send(http.clone(), url, token.clone(), project.clone(), branch.clone())
    };
    let mut waves: FuturesUnordered<_> = branches.iter().map(|branch| to(0, branch)).collect();
    let urls: Vec<_> = branches.iter().map(|branch| (branch.clone(), cluster.api_url(1, "/api/v1/deployments"))).collect();
    // Once one is answered the others are in every stage: each waits for its turn with the project.
    let first = waves.next().await.flatten().expect("an answer before anything is killed");
    assert_eq!(first.0, 201, "{first:?}");
    let victim = cluster.of("api")[0];
    cluster.roles[victim].kill().await;
    let answered: Vec<_> = waves.collect().await;
    let cut_off = answered.iter().filter(|answer| answer.is_none()).count();
    assert!(cut_off > 0, "all were answered before the process was gone: {answered:?}");

    // Each is sent again to the other process until it is answered.
    let mut outcomes = std::collections::BTreeMap::<String, usize>::new();
    for (branch, url) in urls {
        let mut last = Value::Null;
        testkit::wait_until(PATIENCE, &format!("an answer to {branch}"), async || {
            let answer = send(http.clone(), url.clone(), token.clone(), project.clone(), branch.clone()).await;
            let (status, body) = answer.expect("this process lives");
            let is_made = status == 201 && body["source"]["reference"] == branch;
            last = json!(if is_made { "made" } else { body["code"].as_str().unwrap_or_else(|| panic!("{body}")) });
            last != "IDEMPOTENCY_KEY_IN_USE"
        })
        .await;
        *outcomes.entry(last.as_str().unwrap().to_owned()).or_default() += 1;
    }
    println!("{cut_off} of {REQUESTS} were cut off: {outcomes:?}");
    assert!(outcomes.keys().eq(["made"]), "{outcomes:?}");
    let mut found = deployed(&cluster, &http, &project).await;
    found.sort();
    branches.sort();
    assert_eq!(found, branches, "each once");
}
