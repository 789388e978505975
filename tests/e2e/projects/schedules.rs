//! Schedules, jobs and queues, as their users meet them.

use serde_json::{Value, json};
use testkit::wait_until;

use crate::support::fixtures::answering;
use crate::support::harness::{House, PATIENCE};

/// The runs of a schedule that went well.
async fn done(house: &House, project: &str, name: &str) -> Vec<Value> {
    let runs = house.json(&["schedules", "runs", name, "-p", project]).await;
    runs.as_array().unwrap().iter().filter(|run| run["state"] == "DONE").cloned().collect()
}

#[tokio::test]
async fn a_path_is_requested_at_its_times_and_a_failure_raises_an_alert_until_it_works_again() {
    let house = House::start().await;
    let code = answering("{ if (request.url === '/bad') response.statusCode = 500; return request.url; }()")
        .replace("String({", "String((() => {")
        .replace("}())", "})())");
    house.deploy(house.node("clock", &code), &[]).await;
    house.json(&["schedules", "create", "good", "* * * * * *", "--path", "/tick?x=1", "-p", "clock"]).await;
    house.json(&["schedules", "create", "bad", "* * * * * *", "--path", "/bad", "-p", "clock"]).await;
    wait_until(PATIENCE, "two runs that went well", async || done(&house, "clock", "good").await.len() >= 2).await;
    wait_until(PATIENCE, "an alert", async || {
        let alerts = house.graphql("{ alerts { nodes { kind message resolvedAt } } }", json!({})).await;
        alerts["alerts"]["nodes"].as_array().unwrap().iter().any(|alert| {
            alert["kind"] == "run_failed"
                && alert["message"].as_str().unwrap().contains("GET /bad answered 500")
                && alert["resolvedAt"].is_null()
        })
    })
    .await;
    let runs = done(&house, "clock", "good").await;
    assert_eq!(runs[0]["outcome"], "GET /tick?x=1 answered 200 OK");
    let mut times: Vec<&str> = runs.iter().map(|run| run["dueAt"].as_str().unwrap()).collect();
    times.dedup();
    assert_eq!(times.len(), runs.len(), "each time once");
    house.json(&["schedules", "disable", "good", "-p", "clock"]).await;
    house.json(&["schedules", "delete", "bad", "-p", "clock"]).await;
    let left = house.json(&["schedules", "list", "-p", "clock"]).await;
    assert_eq!((left.as_array().unwrap().len(), &left[0]["enabled"], &left[0]["nextDueAt"]), (1, &json!(false), &Value::Null));
}

#[tokio::test]
async fn a_repository_is_deployed_at_its_time_and_bad_schedules_are_refused() {
    let house = House::start().await;
    let repository = house.repository("nightly");
    repository.commit("main", &[("index.html", "from the schedule")]);
    house.json(&["projects", "create", "nightly", "--repository", &repository.url()]).await;
    for (arguments, code) in [
        (["create", "x", "61 * * * *", "-p", "nightly"], "INVALID_SCHEDULE"),
        (["create", "x", "0 0 30 2 *", "-p", "nightly"], "INVALID_SCHEDULE"),
        (["create", "", "* * * * *", "-p", "nightly"], "INVALID_NAME"),
    ] {
        let ran = house.cli(&[&["schedules"], &arguments[..], &["--json"]].concat()).await;
        assert_eq!(ran.error().0, code, "{ran:?}");
    }
    let zone = house.cli(&["schedules", "create", "x", "* * * * *", "--time-zone", "Mars/Base", "-p", "nightly", "--json"]).await;
    assert!(zone.error().1.contains("`Mars/Base` is no time zone"), "{zone:?}");
    house.json(&["schedules", "create", "often", "*/2 * * * * *", "-p", "nightly"]).await;
    let taken = house.cli(&["schedules", "create", "often", "* * * * *", "-p", "nightly", "--json"]).await;
    assert_eq!(taken.error().0, "TAKEN");
    wait_until(PATIENCE, "a deployment", async || house.get("nightly", "/").await.body == "from the schedule").await;
    house.json(&["schedules", "disable", "often", "-p", "nightly"]).await;
    assert!(done(&house, "nightly", "often").await[0]["outcome"].as_str().unwrap().starts_with("triggered deployment number "));
}

#[tokio::test]
async fn a_paused_queue_waits_and_jobs_are_shown_and_discarded() {
    let house = House::start().await;
    let queue = house.json(&["jobs", "pause", "build"]).await;
    assert!(!queue[0]["pausedAt"].is_null(), "{queue}");
    let id = house.deploy_detached(house.site("page", "a page"), &[]).await;
    let waiting = house.json(&["jobs", "list", "--state", "pending", "--queue", "build"]).await;
    let job = waiting["nodes"][0]["id"].as_str().unwrap().to_owned();
    let shown = house.json(&["jobs", "show", &job]).await;
    assert_eq!((&shown["kind"], &shown["payload"]["deployment_id"]), (&json!("build"), &json!(id)));
    assert_eq!(house.cli(&["jobs", "retry", &job, "--json"]).await.error().0, "WRONG_STATE");
    assert_eq!(house.cli(&["jobs", "pause", "nothing", "--json"]).await.error().0, "UNKNOWN_QUEUE");
    assert_eq!(house.cli(&["jobs", "limit", "build", "--total", "-1", "--json"]).await.exit, 2);
    let limited = house.json(&["jobs", "limit", "build", "--total", "3", "--team", "2"]).await;
    assert_eq!((&limited[0]["concurrency"], &limited[0]["teamConcurrency"]), (&json!(3), &json!(2)));
    house.json(&["jobs", "resume", "build"]).await;
    assert_eq!(house.ended(&id).await, "LIVE");
    house.json(&["jobs", "pause", "build"]).await;
    let id = house.deploy_detached(house.site("page", "another"), &[]).await;
    let waiting = house.json(&["jobs", "list", "--state", "pending"]).await;
    house.json(&["jobs", "discard", waiting["nodes"][0]["id"].as_str().unwrap()]).await;
    // A deployment without a job does not stay queued for ever.
    assert_eq!(house.ended(&id).await, "FAILED");
}
