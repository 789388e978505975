//! Deployments to Azure.

use serde_json::Value;

use crate::support::fixtures::answering;
use crate::support::harness::House;
use crate::support::sandbox::Clouds;

const AZURE: &[&str] = &["--cloud", "azure", "--project", "shop"];

async fn connected() -> (Clouds, House) {
    let clouds = Clouds::start().await;
    let house = clouds.house().await;
    clouds.connect_azure(&house).await;
    (clouds, house)
}

#[tokio::test]
async fn a_site_becomes_a_server_and_goes_away() {
    let (clouds, house) = connected().await;
    let site = house.deploy(house.site("site", "a page"), AZURE).await;
    assert_eq!((&site["place"]["cloud"], &site["deploymentUrl"]), (&Value::from("azure"), &Value::Null), "{site}");
    assert_eq!(clouds.get(&site["url"], "/").await.body, "a page");
    let server = house.deploy(house.node("server", &answering("'a program'")), &["--project", "shop"]).await;
    assert_eq!(clouds.get(&server["url"], "/").await.body, "a program");
    let back = house.json(&["rollback", "--project", "shop"]).await;
    assert_eq!(clouds.get(&back["url"], "/").await.body, "a page");
    house.json(&["projects", "delete", "shop", "--yes"]).await;
    clouds.nothing_is_left().await;
}
