//! Accounts at vendors from the command line.

use serde_json::{Value, json};

use crate::support::harness::House;
use crate::support::sandbox::Clouds;

#[tokio::test]
async fn an_account_is_connected_and_says_what_is_missing() {
    let clouds = Clouds::start().await;
    let house = clouds.house().await;
    assert_eq!(house.json(&["clouds"]).await, json!([]));
    assert!(house.cli(&["clouds"]).await.stdout.contains("clouds connect gcp"), "the empty list says what to do");
    let account = clouds.connect_google(&house, "acme-production").await;
    assert_eq!(account["state"], "CONNECTED", "{account}");
    assert_eq!((&account["identity"], &account["simulated"]), (&json!("acme-production"), &json!(true)));
    assert!(account["checks"].as_array().unwrap().iter().all(|check| check["outcome"] == "GRANTED"), "{account}");
    assert!(house.cli(&["clouds"]).await.stdout.contains("SIMULATED"));

    let id = "principals/google/deployer@acme-production.iam.gserviceaccount.com";
    clouds.control("PATCH", id, &json!({"denied": ["run.services.create"]})).await;
    let ran = house.cli(&["clouds", "verify", "main", "--json"]).await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    let missing: Vec<Value> =
        ran.json()["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] == "MISSING").cloned().collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0]["permission"], "run.services.create");
    assert!(missing[0]["remedy"].as_str().unwrap().contains("gcloud"), "{missing:?}");
}

#[tokio::test]
async fn a_credential_that_is_refused_asks_for_another() {
    let clouds = Clouds::start().await;
    let house = clouds.house().await;
    clouds.connect_google(&house, "acme-shop").await;
    clouds.control("DELETE", "principals/google/deployer@acme-shop.iam.gserviceaccount.com", &Value::Null).await;
    clouds.google_key(&house, "other").await;
    let ran = house.cli(&["clouds", "verify", "main", "--json"]).await;
    assert_eq!((ran.exit, &ran.json()["state"]), (1, &json!("RECONNECT")), "{ran:?}");
    let (code, message) = house.deploy_in_vain(house.site("shop", "hello"), &["--cloud", "gcp"]).await;
    assert_eq!(code, "ACCOUNT_UNUSABLE", "{message}");
    assert!(message.contains("clouds update gcp:main"), "{message}");
    let key = clouds.google_key(&house, "acme-shop").await;
    let updated = house.json(&["clouds", "update", "main", "--key-file", key.to_str().unwrap()]).await;
    assert_eq!(updated["state"], "CONNECTED", "{updated}");
}

#[tokio::test]
async fn what_cannot_be_connected_says_why() {
    let clouds = Clouds::start().await;
    let house = House::start().await;
    let key = clouds.google_key(&house, "acme-shop").await;
    let key = key.to_str().unwrap();
    let ran = house.cli(&["clouds", "connect", "gcp", "--key-file", key, "--sandbox", &clouds.url(), "--json"]).await;
    assert!(ran.error().1.contains("--allow-cloud-endpoint"), "{ran:?}");
    let ran = house.cli_with_input(&["clouds", "connect", "gcp", "--key-file", "-", "--json"], "no json").await;
    assert_eq!(ran.error().0, "KEY_FILE", "{ran:?}");
    let (code, message) = house.deploy_in_vain(house.site("shop", "hello"), &["--cloud", "gcp"]).await;
    assert_eq!(code, "NO_ACCOUNT", "{message}");
    assert!(message.contains("clouds connect gcp"), "{message}");
}
