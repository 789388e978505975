//! The control plane in one file, and back.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::{Database, wait_until};
use tokio::process::Command;

use crate::support::client::Ran;
use crate::support::harness::{House, PATIENCE};
use crate::support::invariants::check_deployments;

/// Runs a command with this house's master key.
async fn run(house: &House, arguments: &[&str]) -> Ran {
    let key = house.data().join("master.key");
    let mut command: Command = house.command(arguments);
    command.env("MIKROCLOUD_MASTER_KEY_FILE", key).env("MIKROCLOUD_DATA", house.data());
    Ran::from(tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap())
}

async fn document(house: &House, arguments: &[&str]) -> Value {
    let ran = run(house, &[arguments, &["--json"]].concat()).await;
    assert_eq!(ran.exit, 0, "{arguments:?}: {ran:?}");
    ran.json()
}

async fn refused(house: &House, arguments: &[&str], code: &str) -> String {
    let ran = run(house, &[arguments, &["--json"]].concat()).await;
    let (found, message) = ran.error();
    assert_eq!(found, code, "{arguments:?}: {message}");
    message
}

/// Waits until PostgreSQL has noticed that the commands before have ended.
async fn connections_end(database: &Database) {
    let sql =
        "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mikrocloud'";
    wait_until(PATIENCE, "the connections to end", async || database.texts(sql).await.is_empty()).await;
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn lose_database(house: &House) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(house.data().join(format!("mikrocloud.db{end}")));
    }
}

fn backup_file(house: &House) -> PathBuf {
    house.scratch("backups").join("backup")
}

async fn deployments(house: &House, project: &Value) -> Vec<Value> {
    let query = "query($id: ID!) { project(id: $id) { deployments(first: 50) { nodes {
        id number status failure { message } events(first: 50) { number projectNumber status } } } } }";
    let mut found = house.graphql(query, json!({"id": project})).await;
    found["project"]["deployments"]["nodes"].take().as_array().unwrap().clone()
}

#[tokio::test]
async fn a_backup_taken_while_deployments_run_restores_to_a_consistent_state() {
    let mut house = House::start().await;
    house.deploy(house.site("page", "a page"), &[]).await;
    let repository = house.repository("shop");
    let project = house.json(&["projects", "create", "shop", "--repository", &repository.url()]).await["id"].clone();
    house.json(&["env", "set", "--project", "shop", "KEPT=secret value"]).await;
    let mut asked = 0;
    for index in 0..5 {
        let commit = repository.commit("main", &[("index.html", &format!("version {index}"))]);
        let input = json!({"projectId": project, "reference": commit});
        house.mutate("triggerDeployment", "TriggerDeploymentInput", input, "deployment { id }").await;
        asked += 1;
        if index == 2 {
            let file = backup_file(&house);
            let written = document(&house, &["backup", text(&file)]).await;
            assert_eq!(written["tables"]["users"], 1, "{written}");
            assert_eq!(written["tables"]["deployments"], asked + 1, "what was asked for is in it: {written}");
        }
    }
    house.json(&["env", "set", "--project", "shop", "LATER=x"]).await;
    house.kill().await;
    let file = backup_file(&house);
    let verified = document(&house, &["backup", "--verify", text(&file)]).await;
    refused(&house, &["restore", text(&file)], "DATABASE_IN_USE").await;
    lose_database(&house);
    let restored = document(&house, &["restore", text(&file)]).await;
    assert_eq!(restored["tables"], verified["tables"]);
    house.run().await;
    assert_eq!(house.json(&["whoami"]).await["role"], "OWNER", "the credentials of before are taken");
    for deployment in deployments(&house, &project).await {
        house.ended(deployment["id"].as_str().unwrap()).await;
    }
    let all = deployments(&house, &project).await;
    assert_eq!(all.len(), 3, "those that were asked for before the backup: {all:?}");
    check_deployments(&all);
    wait_until(PATIENCE, "the last of them", async || house.get("shop", "/").await.body == "version 2").await;
    wait_until(PATIENCE, "the page", async || house.get("page", "/").await.body == "a page").await;
    let variables = house.json(&["env", "list", "--project", "shop"]).await.to_string();
    assert!(variables.contains("KEPT") && !variables.contains("LATER"), "{variables}");
}

#[tokio::test]
async fn a_backup_goes_from_one_database_to_the_other_and_back() {
    let Some(database) = Database::postgres().await else { return };
    let Database::Postgres(url) = &database else { return };
    let mut house = House::start().await;
    house.deploy(house.site("page", "a page"), &[]).await;
    house.terminate().await;
    let (first, second) = (backup_file(&house), house.scratch("backups").join("second"));
    let written = document(&house, &["backup", text(&first)]).await;
    let moved = document(&house, &["restore", text(&first), "--database-url", url]).await;
    assert_eq!(moved["tables"], written["tables"]);
    refused(&house, &["restore", text(&first), "--database-url", url], "DATABASE_IN_USE").await;
    connections_end(&database).await;
    document(&house, &["restore", text(&first), "--database-url", url, "--replace"]).await;
    let again = document(&house, &["backup", text(&second), "--database-url", url]).await;
    assert_eq!(again["tables"], written["tables"]);
    lose_database(&house);
    document(&house, &["restore", text(&second)]).await;
    house.run().await;
    wait_until(PATIENCE, "the page", async || house.get("page", "/").await.body == "a page").await;
}

#[tokio::test]
async fn what_cannot_be_backed_up_or_restored_is_refused_with_a_reason() {
    let mut house = House::start().await;
    let file = backup_file(&house);
    document(&house, &["backup", text(&file)]).await;
    let said = refused(&house, &["restore", text(&file), "--replace"], "DATA_DIRECTORY_IN_USE").await;
    assert!(said.contains("stop"), "{said}");
    house.terminate().await;

    let kept = std::fs::read(&file).unwrap();
    let bad = house.scratch("backups").join("bad");
    for place in (0..kept.len()).step_by(kept.len() / 8) {
        let mut changed = kept.clone();
        changed[place] ^= 0x40;
        std::fs::write(&bad, changed).unwrap();
        let ran = run(&house, &["backup", "--verify", text(&bad)]).await;
        assert_eq!(ran.exit, 1, "byte {place}: {ran:?}");
    }
    std::fs::write(&bad, &kept[..kept.len() - 7]).unwrap();
    let said = refused(&house, &["restore", text(&bad), "--replace"], "BACKUP_DAMAGED").await;
    assert!(said.contains("cut short") && said.contains("nothing of it was restored"), "{said}");
    refused(&house, &["backup", "--verify", text(&house.data().join("absent"))], "BACKUP_FILE").await;
    refused(&house, &["backup", "/no/such/directory/backup"], "BACKUP_FILE").await;

    let (other, fresh) = (house.scratch("other").join("key"), house.scratch("fresh"));
    std::fs::write(&other, "ab".repeat(32)).unwrap();
    for arguments in [&["backup", text(&bad)][..], &["backup", "--verify", text(&file)]] {
        let said = refused(&house, &[arguments, &["--master-key-file", text(&other)]].concat(), "MASTER_KEY").await;
        assert!(said.contains("master key"), "{said}");
    }
    refused(&house, &["restore", text(&file), "--replace", "--master-key-file", text(&other)], "MASTER_KEY").await;
    refused(&house, &["restore", text(&file), "--data", text(&fresh), "--master-key-file", text(&other)], "MASTER_KEY").await;
    assert!(!fresh.join("mikrocloud.db").exists(), "an empty database would be taken for one that lost its key");
    refused(&house, &["backup", text(&bad), "--data", text(&fresh)], "NOT_SET_UP").await;
    document(&house, &["restore", text(&file), "--data", text(&fresh)]).await;
    assert_eq!(std::fs::read_to_string(fresh.join("master.key")).unwrap().trim().len(), 64, "the key is kept beside it");
    house.run().await;
    assert_eq!(house.json(&["whoami"]).await["role"], "OWNER", "nothing of this has touched it");
}
