//! The version before and this one, one after the other on the same state.

use std::path::{Path, PathBuf};

use testkit::{previous, wait_until};

use crate::identity::access::PASSWORD;
use crate::support::harness::{BINARY, House, PATIENCE};

async fn run_with(house: &mut House, binary: &Path) {
    house.terminate().await;
    binary.clone_into(&mut house.binary);
    house.run().await;
}

async fn shows(house: &House, label: &str, body: &str) {
    wait_until(PATIENCE, &format!("`{body}` of {label}"), async || house.get(label, "/").await.body == body).await;
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

#[tokio::test]
async fn what_only_this_version_knows_does_not_stop_the_one_before() {
    let Some(before) = previous::binary() else { return };
    let mut house = House::prepare(&[]);
    house.run().await;
    let key = house.json(&["keys", "create", "all"]).await["secret"].as_str().unwrap().to_owned();
    house.json(&["roles", "create", "guest"]).await;
    let guest = house.colleague("guest", "guest").await;
    house.deploy(house.site("page", "a page"), &[]).await;
    house.json(&["members", "grant", "guest", "developer", "--project", "page", "-e", "preview"]).await;
    house.json(&["projects", "protect", "page"]).await;
    let waiting = house.deploy_detached(house.site("page", "unapproved"), &[]).await;

    run_with(&mut house, &before).await;
    let query = "{ me { role } members { role } projects { totalCount } }";
    // It signs access tokens with another key: whoever is in a session exchanges their refresh token, or signs in again.
    let (_, signed_in) = house.sign_in("guest@example.org", PASSWORD).await;
    for (token, role) in [(&*key, "OWNER"), (signed_in["access_token"].as_str().unwrap(), "VIEWER")] {
        let answer = house.graphql_as(token, query, serde_json::json!({})).await;
        assert_eq!(answer["data"]["me"]["role"], role, "{answer}");
        assert_eq!(answer["data"]["projects"]["totalCount"], 1, "{answer}");
    }
    // It knows no approvals: what waits for one is given up and said to be.
    assert_eq!(house.ended(&waiting).await, "FAILED");
    shows(&house, "page", "a page").await;

    run_with(&mut house, Path::new(BINARY)).await;
    let rights =
        house.graphql_as(&guest.token, "{ me { role permissions grants { permissions } } }", serde_json::json!({})).await;
    let me = &rights["data"]["me"];
    assert_eq!((me["permissions"].as_array().unwrap().len(), me["grants"].as_array().unwrap().len()), (0, 1), "{rights}");
    let ann = house.colleague("ann", "admin").await;
    assert_eq!(house.cli_as(&ann.token, &["approvals"]).await.json(), serde_json::json!([]));
    assert_eq!(house.cli_as(&ann.token, &["approve", &waiting]).await.error().0, "ALREADY_DECIDED");
}
