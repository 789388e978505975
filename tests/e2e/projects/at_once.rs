//! Requests that get in each other's way.

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::wait_until;

use crate::support::fixtures::answering;
use crate::support::harness::{House, PATIENCE};
use crate::support::processes;

async fn gone(house: &House, project: &Value) {
    wait_until(PATIENCE, "the project to be gone", async || {
        house.graphql("query($id: ID!) { project(id: $id) { id } }", json!({"id": project})).await["project"].is_null()
    })
    .await;
    wait_until(PATIENCE, "no process", async || processes::all_of(&house.data()).is_empty()).await;
    wait_until(PATIENCE, "no artifact", async || house.artifacts().is_empty()).await;
}

#[tokio::test]
async fn deployments_of_one_environment_at_once_end_with_the_newest_live() {
    let house = House::start().await;
    let repository = house.repository("shop");
    let commits: Vec<String> =
        (0..6).map(|index| repository.commit("main", &[("index.html", &format!("version {index}"))])).collect();
    let project = house.json(&["projects", "create", "shop", "--repository", &repository.url()]).await["id"].clone();
    let made = join_all(commits.iter().map(|commit| {
        let input = json!({"projectId": project, "reference": commit});
        house.mutate("triggerDeployment", "TriggerDeploymentInput", input, "deployment { id number }")
    }))
    .await;
    let mut numbered: Vec<(i64, &str)> = made
        .iter()
        .map(|made| (made["deployment"]["number"].as_i64().unwrap(), made["deployment"]["id"].as_str().unwrap()))
        .collect();
    numbered.sort_unstable();
    assert_eq!(numbered.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=6).collect::<Vec<_>>());
    let mut live = Vec::new();
    for (number, id) in &numbered {
        let status = house.ended(id).await;
        if status == "LIVE" {
            live.push(*number);
        }
    }
    assert_eq!(live, [6], "the one that was asked for last");
    let newest = house.deployment(numbered[5].1, "source { reference }").await["source"]["reference"].clone();
    let index = commits.iter().position(|commit| newest == *commit).unwrap();
    assert_eq!(house.body("shop").await, format!("version {index}"));
}

#[tokio::test]
async fn two_deletes_at_once_are_one() {
    let house = House::start().await;
    house.deploy(house.node("twice", &answering("'here'")), &[]).await;
    let project = house.json(&["projects", "show", "twice"]).await["id"].clone();
    let delete = || house.mutate("deleteProject", "DeleteProjectInput", json!({"projectId": project}), "project { id }");
    let (first, second) = tokio::join!(delete(), delete());
    for payload in [&first, &second] {
        let error = payload["userErrors"][0]["code"].as_str();
        assert!(!payload["project"].is_null() || matches!(error, Some("BEING_DELETED" | "NOT_FOUND")), "{payload}");
    }
    assert!(!(first["project"].is_null() && second["project"].is_null()), "{first} {second}");
    gone(&house, &project).await;
}

#[tokio::test]
async fn a_deployment_and_a_delete_at_once_leave_nothing() {
    let house = House::start().await;
    let repository = house.repository("race");
    repository
        .commit("main", &[("package.json", r#"{"scripts": {"start": "node server.js"}}"#), ("server.js", &answering("'here'"))]);
    for round in 0..4 {
        let url = repository.url();
        let project = house.json(&["projects", "create", "race", "--repository", &url]).await["id"].clone();
        let deploy =
            || house.mutate("triggerDeployment", "TriggerDeploymentInput", json!({"projectId": project}), "deployment { id }");
        let delete = || house.mutate("deleteProject", "DeleteProjectInput", json!({"projectId": project}), "project { id }");
        let first = deploy().await;
        // In each round the delete meets the deployment a bit further on.
        if round > 0 {
            let id = first["deployment"]["id"].as_str().unwrap();
            let wanted = ["QUEUED", "BUILDING", "RELEASING", "LIVE"][round];
            wait_until(PATIENCE, wanted, async || {
                let status = house.status(id).await;
                status == wanted || status == "LIVE"
            })
            .await;
        }
        let (deployed, deleted) = tokio::join!(deploy(), delete());
        let error = deployed["userErrors"][0]["code"].as_str();
        assert!(!deployed["deployment"].is_null() || matches!(error, Some("BEING_DELETED" | "NOT_FOUND")), "{deployed}");
        assert!(!deleted["project"].is_null(), "{deleted}");
        gone(&house, &project).await;
        assert_eq!(house.get("race", "/").await.status, 404);
    }
}
