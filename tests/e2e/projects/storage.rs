//! Retention: artifacts within the team's budget, logs of ended deployments.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::wait_until;

use crate::support::harness::{House, PATIENCE};

/// A site of so many KiB that no other has.
fn large_site(house: &House, letter: &str) -> PathBuf {
    house.site("large", &letter.repeat(900 << 10))
}

async fn deploy(house: &House, letter: &str) -> String {
    let document = house.deploy(large_site(house, letter), &[]).await;
    document["deployment"].as_str().unwrap().to_owned()
}

/// Starts it again: housekeeping begins at once.
async fn restart(house: &mut House) {
    house.terminate().await;
    house.run().await;
}

#[tokio::test]
async fn over_the_budget_the_oldest_rollback_targets_go_and_say_so() {
    let mut house =
        House::start_with(&[("MIKROCLOUD_ARTIFACT_BUDGET_MIB", "2"), ("MIKROCLOUD_ARTIFACT_GRACE_SECONDS", "0")]).await;
    let mut ids = Vec::new();
    for letter in ["a", "b", "c", "d"] {
        ids.push(deploy(&house, letter).await);
    }
    let before = house.json(&["storage"]).await;
    assert_eq!((&before["artifacts"], &before["artifactBudgetBytes"]), (&json!(4), &json!(2 << 20)));
    restart(&mut house).await;
    wait_until(PATIENCE, "two artifacts to be gone", async || house.artifacts().len() == 2).await;

    let listed = house.json(&["deployments", "--project", "large"]).await;
    let available = |id: &String| {
        let nodes = listed["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["id"] == **id).unwrap()["rollbackAvailable"] == true
    };
    assert_eq!(ids.iter().map(available).collect::<Vec<_>>(), [false, false, true, false], "the last is live");
    assert!(house.deployment(&ids[0], "artifactRemovedAt").await["artifactRemovedAt"].is_string());
    let (code, message) = house.cli(&["rollback", &ids[0], "--json"]).await.error();
    assert!(code == "ARTIFACT_REMOVED" && message.contains("deploy its source again"), "{code}: {message}");
    let (code, _) = house.cli(&["promote", &ids[1], "--environment", "preview", "--json"]).await.error();
    assert_eq!(code, "ARTIFACT_REMOVED");
    let usage = house.json(&["storage"]).await;
    assert_eq!((&usage["artifacts"], &usage["artifactBytes"]), (&json!(2), &json!(2 * (900 << 10))));
    let metrics = house.http.get(house.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("mikrocloud_artifact_bytes 1843200"), "{metrics}");

    house.json(&["rollback", "--project", "large"]).await;
    wait_until(PATIENCE, "the one before", async || house.get("large", "/").await.body.starts_with('c')).await;
    // The same content again is kept again, and those that had it can be gone back to.
    deploy(&house, "a").await;
    deploy(&house, "c").await;
    assert!(house.deployment(&ids[0], "rollbackAvailable").await["rollbackAvailable"] == true);
    house.json(&["rollback", "--project", "large", &ids[0]]).await;
    wait_until(PATIENCE, "the first", async || house.get("large", "/").await.body.starts_with('a')).await;
}

#[tokio::test]
async fn a_budget_below_what_is_shown_raises_an_alert_and_removes_nothing_of_it() {
    let mut house =
        House::start_with(&[("MIKROCLOUD_ARTIFACT_BUDGET_MIB", "0"), ("MIKROCLOUD_ARTIFACT_GRACE_SECONDS", "0")]).await;
    for letter in ["a", "b", "c"] {
        deploy(&house, letter).await;
    }
    restart(&mut house).await;
    wait_until(PATIENCE, "one artifact to be gone", async || house.artifacts().len() == 2).await;
    wait_until(PATIENCE, "an alert", async || {
        let alerts = house.graphql("{ alerts(first: 10) { nodes { kind message } } }", json!({})).await;
        alerts.to_string().contains("--artifact-budget-mib")
    })
    .await;
    house.json(&["rollback", "--project", "large"]).await;
    wait_until(PATIENCE, "the one before", async || house.get("large", "/").await.body.starts_with('b')).await;
}

/// Number of log lines that the database holds of a deployment that has ended.
async fn rows(house: &House) -> i64 {
    let url = format!("sqlite://{}", house.data().join("mikrocloud.db").display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let sql = "SELECT COUNT(*) FROM log_lines WHERE deployment_id IN (SELECT id FROM deployments WHERE status <> 'live')";
    let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    count
}

fn archives(house: &House) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(house.data().join("objects/logs"));
    entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn logs_of_ended_deployments_are_read_from_the_archive_as_before() {
    let mut house = House::start_with(&[("MIKROCLOUD_LOG_ARCHIVE_HOURS", "0")]).await;
    let code = "for (let i = 0; i < 2500; i++) console.log('line ' + i);
        require('fs').mkdirSync('out'); require('fs').writeFileSync('out/index.html', 'x')";
    let first = house.deploy(house.build("page", code), &[]).await["deployment"].as_str().unwrap().to_owned();
    house.deploy(house.site("page", "another"), &[]).await;
    let before = house.lines(&first).await;
    let printed = house.cli(&["logs", &first]).await.stdout;
    assert!(before.len() > 2500 && rows(&house).await > 0);
    restart(&mut house).await;
    wait_until(PATIENCE, "the rows to be gone", async || rows(&house).await == 0).await;
    assert_eq!(house.lines(&first).await, before, "the same lines with the same numbers");
    assert!(before.iter().zip(1..).all(|((number, _), expected)| *number == expected), "without a gap");
    assert_eq!(house.cli(&["logs", &first]).await.stdout, printed);
    let after = house.cli(&["logs", &first, "--after", "1500", "--json"]).await;
    assert!(after.exit == 0 && after.stdout.contains("1501") && !after.stdout.contains("\"number\":1500,"), "{after:?}");
    assert!(house.json(&["storage"]).await["logArchiveBytes"].as_i64() > Some(0));

    let archive = archives(&house).remove(0);
    let good = std::fs::read(&archive).unwrap();
    let mut bad = good.clone();
    bad[20] ^= 1;
    std::fs::write(&archive, bad).unwrap();
    let query = "query($id: ID!) { deployment(id: $id) { logs(first: 5) { text } } }";
    let answer: Value = house.graphql_as(&house.token(), query, json!({"id": first})).await;
    let said = answer["errors"][0]["message"].as_str().unwrap();
    assert!(said.contains("damaged in the object store"), "{answer}");
    std::fs::write(&archive, good).unwrap();
    house.json(&["projects", "delete", "page", "--yes"]).await;
    wait_until(PATIENCE, "the archive to be gone", async || archives(&house).is_empty()).await;
}
