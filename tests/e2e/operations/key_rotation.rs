//! Another master key for a server of one process, which runs on.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::client::Ran;
use crate::support::harness::{House, PATIENCE};

async fn rotate(house: &House, options: &[&str]) -> Ran {
    let mut command = house.command(&[&["keys", "rotate", "--settle-seconds", "9", "--json"], options].concat());
    command.env("MIKROCLOUD_DATA", house.data());
    Ran::from(tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap())
}

#[tokio::test]
async fn a_running_server_gets_another_master_key_in_the_place_of_the_old_one() {
    let mut house = House::start().await;
    let project = house.rest_project("shop").await;
    assert_eq!(set(&house, &project, "before").await, 200);
    let file = house.data().join("master.key");
    let old = std::fs::read_to_string(&file).unwrap();
    let (mut rotation, mut during) = (Box::pin(rotate(&house, &[])), Vec::new());
    let ran = loop {
        tokio::select! {
            ran = &mut rotation => break ran,
            status = set(&house, &project, "during") => during.push(status),
        }
    };
    drop(rotation);
    assert_eq!(ran.exit, 0, "{ran:?}");
    let done = ran.json();
    assert!(done["sealed"].as_u64().unwrap() >= 2 && done["broken"] == 0 && done["resumed"] == false, "{done}");
    assert!(during.len() > 10 && during.iter().all(|status| *status == 200), "{during:?}");

    let new = std::fs::read_to_string(&file).unwrap();
    assert!(new != old && new.trim().len() == 64);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::read_dir(house.data())
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("master.") })
            .count(),
        1,
        "nothing is left beside it"
    );
    assert_eq!(set(&house, &project, "after").await, 200);

    // Started anew, it opens with the new key what is there.
    house.terminate().await;
    house.run().await;
    assert_eq!(set(&house, &project, "again").await, 200);
    let entry = house.rest_get("/audit?action=master_key.rotate").await["nodes"][0].take();
    assert_eq!((&entry["target"]["id"], &entry["actor"]["userId"]), (&done["newFingerprint"], &Value::Null), "{entry}");

    // The old key is refused, by the server and by a second change.
    house.terminate().await;
    std::fs::write(&file, &old).unwrap();
    let (code, message) = rotate(&house, &[]).await.error();
    assert!(code == "MASTER_KEY" && message.contains("was replaced on"), "{code}: {message}");
    let refused = house.up().output().await.unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("was replaced on"), "{said}");
}

/// Sets a variable, which seals it, opens the one before and writes digests of both.
async fn set(house: &House, project: &str, value: &str) -> u16 {
    let url = house.url(&format!("/api/v1/projects/{project}/env"));
    let body = json!({"variables": [{"name": "SECRET", "value": value}]});
    house.http.patch(url).bearer_auth(house.token()).json(&body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_key_in_the_environment_is_changed_only_with_a_place_for_the_new_one() {
    let house = House::start().await;
    let key = std::fs::read_to_string(house.data().join("master.key")).unwrap();
    let rotate = async |options: &[&str]| {
        let mut command = house.command(&[&["keys", "rotate", "--settle-seconds", "9", "--json"], options].concat());
        command.env("MIKROCLOUD_DATA", house.data()).env("MIKROCLOUD_MASTER_KEY", key.trim());
        Ran::from(tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap())
    };
    let (code, message) = rotate(&[]).await.error();
    assert!(code == "MASTER_KEY" && message.contains("--new-key-file"), "{code}: {message}");
    let taken = house.scratch("keys").join("taken");
    std::fs::write(&taken, "7".repeat(64)).unwrap();
    let (code, message) = rotate(&["--new-key-file", taken.to_str().unwrap()]).await.error();
    assert!(code == "KEY_FILE" && message.contains("holds another key"), "{code}: {message}");
    // Nothing is lost: the same again, with a better place.
    let place = house.scratch("keys").join("new");
    let ran = rotate(&["--new-key-file", place.to_str().unwrap()]).await;
    assert_eq!((ran.exit, &ran.json()["resumed"]), (0, &json!(true)), "{ran:?}");
    assert!(std::fs::read_to_string(&place).unwrap().trim() != key.trim());
}
