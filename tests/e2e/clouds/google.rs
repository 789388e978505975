//! Deployments to Google Cloud.

use serde_json::{Value, json};

use crate::support::fixtures::answering;
use crate::support::harness::House;
use crate::support::sandbox::Clouds;

const GCP: &[&str] = &["--cloud", "gcp", "--project", "shop"];

async fn connected() -> (Clouds, House) {
    let clouds = Clouds::start().await;
    let house = clouds.house().await;
    clouds.connect_google(&house, "acme-shop").await;
    (clouds, house)
}

#[tokio::test]
async fn a_server_goes_live_back_and_away() {
    let (clouds, house) = connected().await;
    let first = house.deploy(house.node("one", &answering("'one ' + process.env.GREETING")), GCP).await;
    assert_eq!(first["place"]["cloud"], "gcp", "{first}");
    assert_eq!(first["place"]["simulated"], true, "{first}");
    assert_eq!(clouds.get(&first["url"], "/").await.body, "one undefined");

    house.json(&["env", "set", "GREETING=hello", "--project", "shop"]).await;
    let second = house.deploy(house.node("two", &answering("'two ' + process.env.GREETING")), &["--project", "shop"]).await;
    assert_eq!(second["url"], first["url"], "the address outlives deployments, and the next one goes where the live one is");
    assert_eq!(clouds.get(&second["url"], "/").await.body, "two hello");
    assert_eq!(clouds.get(&first["deploymentUrl"], "/").await.body, "one undefined", "each has an address of its own");

    let back = house.json(&["rollback", "--project", "shop"]).await;
    assert_eq!(back["status"], "live", "{back}");
    assert_eq!(clouds.get(&first["url"], "/").await.body, "one undefined");

    house.json(&["projects", "delete", "shop", "--yes"]).await;
    clouds.nothing_is_left().await;
    house.json(&["clouds", "disconnect", "main"]).await;
    assert_eq!(house.json(&["clouds"]).await, json!([]));
}

#[tokio::test]
async fn a_project_moves_between_its_own_machine_and_a_cloud() {
    let (clouds, house) = connected().await;
    let source = house.node("shop", &answering("'hello'"));
    let local = house.deploy(&source, &["--project", "shop"]).await;
    assert_eq!(local["place"], Value::Null);
    assert_eq!(house.body("shop").await, "hello");
    let there = house.deploy(&source, GCP).await;
    assert_eq!(clouds.get(&there["url"], "/").await.body, "hello");
    assert_ne!(house.get("shop", "/").await.status, 200, "what is shown elsewhere is not shown here");
    let back = house.deploy(&source, &["--project", "shop", "--cloud", "local"]).await;
    assert_eq!(back["url"], local["url"]);
    assert_eq!(house.body("shop").await, "hello");
    clouds.nothing_is_left().await;
    let again = house.json(&["rollback", "--project", "shop"]).await;
    assert_eq!(again["place"]["cloud"], "gcp", "a rollback goes where the deployment was, though all of it was removed: {again}");
    assert_eq!(clouds.get(&again["url"], "/").await.body, "hello");
}

#[tokio::test]
async fn functions_are_refused_before_anything_is_made() {
    let (clouds, house) = connected().await;
    let source = house.project("fn", &[("functions/hello.js", "export default () => new Response('hi')")]);
    let (code, message) = house.deploy_in_vain(source, GCP).await;
    assert_eq!(code, "NOT_ON_THIS_CLOUD", "{message}");
    clouds.nothing_is_left().await;
}
