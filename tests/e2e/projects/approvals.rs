//! Protected environments.

use chrono::TimeDelta;
use domain::id::DeploymentId;
use domain::time::now;
use serde_json::{Value, json};
use store::{DeploymentChange, Store};
use testkit::wait_until;

use crate::support::harness::{House, PATIENCE};

/// A project whose production is protected, and a deployment that waits there.
async fn waiting(house: &House) -> String {
    house.json(&["projects", "create", "page"]).await;
    let protected = house.json(&["projects", "protect", "page"]).await;
    assert_eq!(protected["protected"], true, "{protected}");
    house.deploy_detached(house.site("page", "a page"), &["--project", "page"]).await
}

async fn approval(house: &House, id: &str) -> Value {
    house.deployment(id, "status approval { state reason } failure { code message } events { status message }").await
}

/// Number of builds that were ever asked for.
async fn jobs(house: &House) -> usize {
    let jobs = house.graphql("{ jobs(queue: \"build\") { edges { node { id } } } }", json!({})).await;
    jobs["jobs"]["edges"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_deployment_to_a_protected_environment_waits_for_somebody_else_over_restarts() {
    let mut house = House::start().await;
    let ann = house.colleague("ann", "admin").await;
    let dev = house.colleague("dev", "developer").await;
    let id = waiting(&house).await;
    let seen = approval(&house, &id).await;
    assert_eq!((&seen["status"], &seen["approval"]["state"]), (&json!("QUEUED"), &json!("PENDING")), "{seen}");
    assert!(seen["events"][0]["message"].as_str().unwrap().contains("mikrocloud approve dep_"), "{seen}");
    assert_eq!(jobs(&house).await, 0, "nothing is built before");
    let listed = house.cli_as(&ann.token, &["approvals"]).await.json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["deployment"]["id"]), (1, &json!(id)), "{listed}");

    house.crash_and_restart().await;
    assert_eq!(house.cli(&["approve", &id, "--json"]).await.error().0, "OWN_DEPLOYMENT");
    assert_eq!(house.cli_as(&dev.token, &["approve", &id]).await.error().0, "FORBIDDEN");
    assert_eq!(house.status(&id).await, "QUEUED");
    let approved = house.cli_as(&ann.token, &["approve", &id, "--reason", "looks good"]).await;
    assert_eq!((approved.exit, &approved.json()["approval"]), (0, &json!("approved")), "{approved:?}");
    assert_eq!(house.ended(&id).await, "LIVE");
    assert_eq!(house.body("page").await, "a page");
    let seen = approval(&house, &id).await;
    assert_eq!(seen["approval"], json!({"state": "APPROVED", "reason": "looks good"}));
    assert_eq!(seen["events"][1]["message"], "approved by ann: looks good", "{seen}");
    assert_eq!(house.cli_as(&ann.token, &["approve", &id]).await.exit, 0, "once more is no error");
    assert_eq!(house.cli_as(&ann.token, &["reject", &id]).await.error().0, "ALREADY_DECIDED");

    // A rollback and a promotion wait as well, and another environment does not.
    let preview = house.deploy(house.site("page", "a preview"), &["--project", "page", "-e", "preview"]).await;
    let input = json!({"deploymentId": preview["deployment"]});
    let promoted =
        house.mutate("promoteDeployment", "PromoteDeploymentInput", input, "deployment { id status approval { state } }");
    let promoted = promoted.await["deployment"].take();
    assert_eq!((&promoted["status"], &promoted["approval"]["state"]), (&json!("QUEUED"), &json!("PENDING")), "{promoted}");
    let id = promoted["id"].as_str().unwrap();
    assert_eq!(house.cli_as(&ann.token, &["approve", id]).await.exit, 0);
    assert_eq!(house.ended(id).await, "LIVE");
    assert_eq!(house.body("page").await, "a preview");
    house.json(&["projects", "unprotect", "page"]).await;
    house.json(&["rollback", "--project", "page"]).await;
    assert_eq!(house.body("page").await, "a page");
}

#[tokio::test]
async fn what_is_rejected_cancelled_or_overtaken_ends_with_a_reason() {
    let house = House::start().await;
    let ann = house.colleague("ann", "admin").await;
    let first = waiting(&house).await;
    let second = house.deploy_detached(house.site("page", "another"), &["--project", "page"]).await;
    let seen = approval(&house, &first).await;
    assert_eq!((&seen["status"], &seen["approval"]["state"]), (&json!("CANCELLED"), &json!("WITHDRAWN")), "{seen}");
    assert_eq!(seen["failure"]["code"], "SUPERSEDED");
    assert_eq!(house.cli_as(&ann.token, &["approve", &first]).await.error().0, "ALREADY_DECIDED");

    assert_eq!(house.cli_as(&ann.token, &["reject", &second, "--reason", "not today"]).await.exit, 0);
    let seen = approval(&house, &second).await;
    assert_eq!((&seen["status"], &seen["approval"]["state"]), (&json!("CANCELLED"), &json!("REJECTED")), "{seen}");
    assert_eq!(seen["failure"], json!({"code": "REJECTED", "message": "rejected by ann: not today"}));

    let third = house.deploy_detached(house.site("page", "a third"), &["--project", "page"]).await;
    assert_eq!(house.json(&["cancel", &third]).await["status"], "cancelled");
    assert_eq!(approval(&house, &third).await["approval"]["state"], "WITHDRAWN");
    assert_eq!(jobs(&house).await, 0, "nothing was ever built");
}

#[tokio::test]
async fn an_approval_that_nobody_gives_in_time_expires() {
    let house = House::start().await;
    let ann = house.colleague("ann", "admin").await;
    let id = waiting(&house).await;
    let deployment: DeploymentId = id.parse().unwrap();
    let (team, _) = house.owner().await;
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let queued = store.deployment_get(team, deployment).await.unwrap().unwrap();
    let left = queued.deadline.unwrap() - now();
    assert!(left > TimeDelta::hours(71) && left <= TimeDelta::hours(72), "{left}");
    // Its time is over.
    let deadline = Some(now() - TimeDelta::seconds(1));
    let change = DeploymentChange { from: queued.status, to: queued.status, deadline, failure: None };
    let mut tx = store.begin().await.unwrap();
    tx.deployment_change(team, deployment, &change).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    wait_until(PATIENCE, "the end of it", async || house.status(&id).await == "CANCELLED").await;
    let seen = approval(&house, &id).await;
    assert_eq!((&seen["approval"]["state"], &seen["failure"]["code"]), (&json!("EXPIRED"), &json!("APPROVAL_EXPIRED")), "{seen}");
    assert_eq!(house.cli_as(&ann.token, &["approve", &id]).await.error().0, "ALREADY_DECIDED");
}

#[tokio::test]
async fn who_made_a_service_account_does_not_approve_what_it_deploys() {
    let house = House::start().await;
    house.json(&["projects", "create", "page"]).await;
    house.json(&["projects", "protect", "page"]).await;
    let account = house.json(&["members", "add-service-account", "ci", "--role", "developer"]).await;
    let id = account["user"]["id"].as_str().unwrap();
    let key = house.json(&["keys", "create", "ci", "--service-account", id]).await["secret"].as_str().unwrap().to_owned();
    let site = house.site("page", "a page");
    let ran = house.cli_as(&key, &["deploy", site.to_str().unwrap(), "--project", "page", "--detach"]).await;
    let deployment = ran.json()["deployment"].as_str().unwrap().to_owned();
    assert_eq!(house.cli(&["approve", &deployment, "--json"]).await.error().0, "OWN_DEPLOYMENT");
    let unprotect = house.cli_as(&key, &["projects", "unprotect", "page"]).await.error();
    assert_eq!(unprotect.0, "FORBIDDEN");
}

/// The commit that a deployment is to be built from, once that is known.
async fn commit(house: &House, id: &str) -> String {
    let known = async || house.deployment(id, "commitSha").await["commitSha"].as_str().map(str::to_owned);
    wait_until(PATIENCE, "the commit", async || known().await.is_some()).await;
    known().await.unwrap()
}

#[tokio::test]
async fn the_commit_that_was_approved_is_built_whatever_is_pushed_meanwhile() {
    let mut house = House::start().await;
    let ann = house.colleague("ann", "admin").await;
    let repository = house.repository("page");
    let first = repository.commit("main", &[("index.html", "the first")]);
    let project = house.json(&["projects", "create", "page", "--repository", &repository.url()]).await["id"].clone();
    house.json(&["projects", "protect", "page"]).await;
    house.json(&["jobs", "pause", "build"]).await;
    let id = house.deploy_detached(repository.url(), &["--project", "page"]).await;
    assert_eq!(house.cli_as(&ann.token, &["approve", &id]).await.error().0, "COMMIT_UNKNOWN");
    let listed = house.cli_as(&ann.token, &["approvals"]).await.json();
    assert_eq!(listed[0]["deployment"]["commitSha"], Value::Null, "{listed}");
    house.json(&["jobs", "resume", "build"]).await;
    assert_eq!(commit(&house, &id).await, first);
    let seen = approval(&house, &id).await;
    assert_eq!((&seen["status"], &seen["approval"]["state"]), (&json!("QUEUED"), &json!("PENDING")), "{seen}");

    // Neither a later commit, nor another repository of the project, nor a restart changes what waits.
    let second = repository.commit("main", &[("index.html", "the second")]);
    assert_ne!(first, second);
    let moved = json!({"projectId": project, "repository": "http://127.0.0.1:9/x"});
    house.mutate("updateProject", "UpdateProjectInput", moved, "project { repository }").await;
    house.crash_and_restart().await;
    let listed = house.cli_as(&ann.token, &["approvals"]).await.json();
    assert_eq!(listed[0]["deployment"]["commitSha"], json!(first), "{listed}");
    let approved = house.cli_as(&ann.token, &["approve", &id]).await.json();
    assert_eq!(approved["commit"], json!(first), "{approved}");
    assert_eq!(house.ended(&id).await, "LIVE");
    assert_eq!(house.body("page").await, "the first");
    assert_eq!(commit(&house, &id).await, first);
}

#[tokio::test]
async fn what_has_no_commit_fails_before_anybody_approves_it() {
    let house = House::start().await;
    let ann = house.colleague("ann", "admin").await;
    let repository = house.repository("page");
    repository.commit("main", &[("index.html", "a page")]);
    house.json(&["projects", "create", "page"]).await;
    house.json(&["projects", "protect", "page"]).await;
    let id = house.deploy_detached(repository.url(), &["--project", "page", "--ref", "nope"]).await;
    assert_eq!(house.ended(&id).await, "FAILED");
    let seen = approval(&house, &id).await;
    assert_eq!(
        (&seen["approval"]["state"], &seen["failure"]["code"]),
        (&json!("WITHDRAWN"), &json!("REFERENCE_NOT_FOUND")),
        "{seen}"
    );
    assert_eq!(house.cli_as(&ann.token, &["approve", &id]).await.error().0, "ALREADY_DECIDED");
}

#[tokio::test]
async fn of_two_that_decide_at_once_one_does() {
    let house = House::start().await;
    let (ann, bob) = (house.colleague("ann", "admin").await, house.colleague("bob", "admin").await);
    let id = waiting(&house).await;
    let approve = ["approve", id.as_str()];
    let (one, two) = tokio::join!(house.cli_as(&ann.token, &approve), house.cli_as(&bob.token, &approve));
    assert_eq!((one.exit, two.exit), (0, 0), "{one:?} {two:?}");
    assert_eq!(house.ended(&id).await, "LIVE");
    assert_eq!(jobs(&house).await, 1, "built once");
    let events = approval(&house, &id).await["events"].to_string();
    assert_eq!(events.matches("approved by").count(), 1, "{events}");

    let id = house.deploy_detached(house.site("page", "another"), &["--project", "page"]).await;
    let (approve, reject) = (["approve", id.as_str()], ["reject", id.as_str()]);
    let (one, two) = tokio::join!(house.cli_as(&ann.token, &approve), house.cli_as(&bob.token, &reject));
    let (lost, ended) = if one.exit == 0 { (two, "LIVE") } else { (one, "CANCELLED") };
    assert_eq!(lost.error().0, "ALREADY_DECIDED", "{lost:?}");
    assert_eq!(house.ended(&id).await, ended);
}

#[tokio::test]
async fn what_waits_keeps_its_course_when_its_environment_is_no_longer_protected_and_ends_with_its_project() {
    let house = House::start().await;
    let ann = house.colleague("ann", "admin").await;
    let id = waiting(&house).await;
    house.json(&["projects", "unprotect", "page"]).await;
    assert_eq!(house.cli(&["approve", &id, "--json"]).await.error().0, "OWN_DEPLOYMENT");
    let seen = approval(&house, &id).await;
    assert_eq!((&seen["status"], &seen["approval"]["state"]), (&json!("QUEUED"), &json!("PENDING")), "{seen}");
    // What is asked for from now on waits for nobody, and takes its place.
    house.deploy(house.site("page", "unprotected"), &["--project", "page"]).await;
    assert_eq!(approval(&house, &id).await["approval"]["state"], "WITHDRAWN");
    assert_eq!(house.cli_as(&ann.token, &["approve", &id]).await.error().0, "ALREADY_DECIDED");
    assert_eq!(house.body("page").await, "unprotected");

    house.json(&["projects", "protect", "page"]).await;
    let id = house.deploy_detached(house.site("page", "too late"), &["--project", "page"]).await;
    let (delete, approve) = (["projects", "delete", "page", "--yes", "--json"], ["approve", id.as_str()]);
    let (deleted, approved) = tokio::join!(house.cli(&delete), house.cli_as(&ann.token, &approve));
    assert_eq!(deleted.exit, 0, "{deleted:?}");
    if approved.exit != 0 {
        let (code, message) = approved.error();
        assert!(["ALREADY_DECIDED", "NOT_FOUND"].contains(&code.as_str()), "{code}: {message}");
    }
    // Whoever was first: nothing is left that could build it.
    wait_until(PATIENCE, "the end of the project", async || house.cli(&["projects", "show", "page", "--json"]).await.exit != 0)
        .await;
    assert_eq!(house.cli_as(&ann.token, &["approve", &id]).await.error().0, "NOT_FOUND");
    assert_eq!(house.cli_as(&ann.token, &["approvals"]).await.json(), json!([]));
}
