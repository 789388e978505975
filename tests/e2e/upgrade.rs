//! The version before and this one, one after the other on the same state.

use std::path::{Path, PathBuf};

use testkit::previous;

use crate::harness::{BINARY, House, PATIENCE, eventually};

async fn run_with(house: &mut House, binary: &Path) {
    house.terminate().await;
    binary.clone_into(&mut house.binary);
    house.run().await;
}

async fn shows(house: &House, label: &str, body: &str) {
    eventually(PATIENCE, &format!("`{body}` of {label}"), async || house.get(label, "/").await.body == body).await;
}

#[tokio::test]
async fn the_state_goes_to_this_version_and_back() {
    let Some(before) = previous::binary() else { return };
    let this = PathBuf::from(BINARY);
    let mut house = House::prepare(&[]);
    house.binary.clone_from(&before);
    house.run().await;
    let first = house.deploy(house.site("page", "made before"), &[]).await;
    house.json(&["env", "set", "--project", "page", "KEPT=secret value"]).await;

    run_with(&mut house, &this).await;
    shows(&house, "page", "made before").await;
    house.deploy(house.site("page", "made by this one"), &[]).await;
    shows(&house, "page", "made by this one").await;
    let variables = house.json(&["env", "list", "--project", "page"]).await.to_string();
    assert!(variables.contains("KEPT"), "{variables}");
    assert!(!house.log(first["deployment"].as_str().unwrap()).await.is_empty(), "logs of before are read");

    run_with(&mut house, &before).await;
    shows(&house, "page", "made by this one").await;
    house.json(&["rollback", "--project", "page"]).await;
    shows(&house, "page", "made before").await;
    house.deploy(house.site("page", "made after going back"), &[]).await;

    run_with(&mut house, &this).await;
    shows(&house, "page", "made after going back").await;
    house.json(&["rollback", "--project", "page", first["deployment"].as_str().unwrap()]).await;
    shows(&house, "page", "made before").await;
}
