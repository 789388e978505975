//! Static sites, labels and routes.

use clouds_contract::Observation;
use domain::id::DeploymentId;
use domain::workload::{StaticSite, WorkloadSpec};

use crate::support::{World, own_label, site, until};

#[tokio::test]
async fn a_site_becomes_ready_is_shown_and_goes() {
    let world = World::new().await;
    assert_eq!(world.get("shop", "/").await.status, 404);
    let first = world.deploy(site(), &[("index.html", "one"), ("_redirects", "broken")]).await;
    assert_eq!(world.get("shop", "/").await.body, "one");
    assert_eq!(world.get("SHOP", "/").await.body, "one");

    let second = world.apply(site(), &[("index.html", "two")]).await;
    world.ready(second).await;
    assert_eq!(world.get(&own_label(second), "/").await.body, "two");
    assert_eq!(world.get("shop", "/").await.body, "one");
    world.switch(second).await;
    assert_eq!(world.get("shop", "/").await.body, "two");
    assert_eq!(world.get(&own_label(first), "/").await.body, "one");
    assert_eq!(world.cloud.traffic.current("shop").await.unwrap(), Some(second));

    world.cloud.static_sites.as_ref().unwrap().delete(first).await.unwrap();
    assert_eq!(world.get(&own_label(first), "/").await.status, 404);
    world.cloud.static_sites.as_ref().unwrap().delete(first).await.unwrap();
    let told = |log: &String| log.contains("_redirects line 1");
    let log = until("the log tells of the broken line", || async { Some(world.control.log_text(first)).filter(told) }).await;
    assert_eq!(log.matches("_redirects line 1").count(), 1, "{log}");
}

#[tokio::test]
async fn a_missing_directory_fails_with_what_to_do() {
    let world = World::new().await;
    let id = world.apply(WorkloadSpec::Static(StaticSite { root: "dist".to_owned() }), &[("index.html", "x")]).await;
    let (code, message) = world.failure(id).await;
    assert_eq!(code, "ROOT_MISSING");
    assert!(message.contains("`dist`") && message.contains("[build]"), "{message}");
    let page = world.get(&own_label(id), "/").await;
    assert_eq!(page.status, 503);
    assert!(page.headers.contains_key("retry-after") && page.body.contains("`dist`"), "{}", page.body);
    let escaping = world.apply(WorkloadSpec::Static(StaticSite { root: "../..".to_owned() }), &[("index.html", "x")]).await;
    assert_eq!(world.failure(escaping).await.0, "ROOT_MISSING");
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_shown_and_is_absent() {
    let world = World::new().await;
    let id = DeploymentId::new();
    assert_eq!(world.cloud.traffic.switch(&world.route(id)).await.unwrap_err().code, "NOT_FOUND");
    assert_eq!(world.cloud.static_sites.as_ref().unwrap().observe(id).await.unwrap(), Observation::Absent);
    let owner = (world.route(id).team_id, world.route(id).project_id);
    world.cloud.traffic.remove(owner, "nothing").await.unwrap();
    world.deploy(site(), &[("index.html", "x")]).await;
    world.cloud.traffic.remove(owner, "shop").await.unwrap();
    assert_eq!(world.get("shop", "/").await.status, 404);
    assert_eq!(world.cloud.traffic.current("shop").await.unwrap(), None);
}

#[tokio::test]
async fn two_deployments_of_the_same_files_share_one_index() {
    let world = World::new().await;
    let files = [("index.html", "same")];
    let (first, second) = (world.apply(site(), &files).await, world.apply(site(), &files).await);
    world.ready(first).await;
    world.ready(second).await;
    let caches = || std::fs::read_dir(world.config.directory.join("static")).unwrap().count();
    assert_eq!(caches(), 1);
    let sites = world.cloud.static_sites.as_ref().unwrap();
    sites.delete(first).await.unwrap();
    assert_eq!(world.get(&own_label(second), "/").await.body, "same");
    assert_eq!(caches(), 1);
    sites.delete(second).await.unwrap();
    assert_eq!(caches(), 0);
}
