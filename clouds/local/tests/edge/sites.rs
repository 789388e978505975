//! Static sites, labels and routes.

use clouds_contract::Observation;
use domain::id::DeploymentId;
use domain::workload::{StaticSite, WorkloadSpec};

use crate::support::{World, own_label, site, until};

#[tokio::test]
async fn a_site_becomes_ready_is_shown_and_goes() {
    let world = World::new().await;
    assert_eq!(world.get("shop", "/").await.status, 404);
    let first = world.deploy(site(), &[("index.html", "one")]).await;
    assert_eq!(world.get("shop", "/").await.body, "one");
    assert_eq!(world.get("SHOP", "/").await.body, "one");

    let second = world.apply(site(), &[("index.html", "two")]).await;
    world.ready(second).await;
    assert_eq!(world.get(&own_label(second), "/").await.body, "two");
    assert_eq!(world.get("shop", "/").await.body, "one");
    world.switch(second).await;
    assert_eq!(world.get("shop", "/").await.body, "two");
    assert_eq!(world.get(&own_label(first), "/").await.body, "one");
    assert_eq!(world.cloud.labels.as_ref().unwrap().current("shop").await.unwrap(), Some(second));

    world.cloud.static_sites.as_ref().unwrap().delete(&world.scope(), first).await.unwrap();
    assert_eq!(world.get(&own_label(first), "/").await.status, 404);
    world.cloud.static_sites.as_ref().unwrap().delete(&world.scope(), first).await.unwrap();
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
    assert_eq!(world.cloud.traffic.switch(&world.scope(), &world.route(id)).await.unwrap_err().code, "NOT_FOUND");
    assert_eq!(world.cloud.static_sites.as_ref().unwrap().observe(&world.scope(), id).await.unwrap(), Observation::Absent);
    let owner = (world.route(id).team_id, world.route(id).project_id);
    world.cloud.labels.as_ref().unwrap().remove(owner, "nothing").await.unwrap();
    world.deploy(site(), &[("index.html", "x")]).await;
    world.cloud.labels.as_ref().unwrap().remove(owner, "shop").await.unwrap();
    assert_eq!(world.get("shop", "/").await.status, 404);
    assert_eq!(world.cloud.labels.as_ref().unwrap().current("shop").await.unwrap(), None);
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
    sites.delete(&world.scope(), first).await.unwrap();
    assert_eq!(world.get(&own_label(second), "/").await.body, "same");
    assert_eq!(caches(), 1);
    sites.delete(&world.scope(), second).await.unwrap();
    assert_eq!(caches(), 0);
}

/// Text of so many bytes that shrinks and is found nowhere else.
fn text(seed: usize, length: usize) -> String {
    let words = (seed..).step_by(7919).map(|number| format!("{number} "));
    words.flat_map(String::into_bytes).take(length).map(char::from).collect()
}

fn compressing(world: &World, id: DeploymentId) -> Vec<String> {
    let log = world.control.log_text(id);
    log.lines().filter(|line| line.contains("ompress")).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_another_deployment_has_as_well_is_not_compressed_again() {
    let mut world = World::new().await;
    let texts: Vec<(String, String)> = (0..40).map(|number| (format!("{number}.txt"), text(number, 4000))).collect();
    let mut files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("index.html", "home"));
    let first = world.deploy(site(), &files).await;
    let told = |id, world: &World| Some(compressing(world, id)).filter(|lines| !lines.is_empty());
    let lines = until("the log tells of it", || async { told(first, &world) }).await;
    assert_eq!(lines, ["system: Compressing 40 of 41 files"]);
    let br = || http::Request::get("/7.txt").header("host", "shop.localhost").header("accept-encoding", "br");
    assert_eq!(world.send("shop", br()).await.headers["content-encoding"], "br");

    let copies = |world: &World| {
        let shards = std::fs::read_dir(world.config.directory.join("copies")).unwrap().flatten();
        shards.map(|shard| std::fs::read_dir(shard.path()).unwrap().count()).sum::<usize>()
    };
    until("the first is compressed", || async { (copies(&world) == 40).then_some(()) }).await;
    let changed = text(99, 4000);
    files[7].1 = &changed;
    let second = world.deploy(site(), &files).await;
    let lines = until("the log tells of it", || async { told(second, &world) }).await;
    assert_eq!(lines, ["system: Compressing 1 of 41 files"]);
    until("all copies are kept", || async { (copies(&world) == 41).then_some(()) }).await;

    world = world.restart().await;
    assert_eq!(world.send("shop", br()).await.headers["content-encoding"], "br");
    let sites = world.cloud.static_sites.as_ref().unwrap();
    sites.delete(&world.scope(), first).await.unwrap();
    until("the copies of the first alone are gone", || async { (copies(&world) == 40).then_some(()) }).await;
    assert_eq!(world.send("shop", br()).await.headers["content-encoding"], "br");
    sites.delete(&world.scope(), second).await.unwrap();
    assert_eq!(copies(&world), 0);
}

#[tokio::test]
async fn what_steers_other_hosts_steers_the_site_and_is_not_served() {
    let world = World::new().await;
    let files = [
        ("index.html", "home"),
        ("404.html", "none"),
        ("_redirects", "/old/* https://example.org/:splat 301"),
        (
            "netlify.toml",
            "[[redirects]]\nfrom = '/find/*'\nto = '/search?q=:splat'\n[[headers]]\nfor = '/*'\nvalues = { X-A = '1' }",
        ),
        ("vercel.json", r#"{"redirects": [{"source": "/blog/:path*", "destination": "/news/:path*", "permanent": false}]}"#),
    ];
    world.deploy(site(), &files).await;
    let table = [
        ("/old/%40s%2Fn", 301, "https://example.org/%40s%2Fn"),
        ("/find/x%26a%3D1", 301, "/search?q=x%26a%3D1"),
        ("/blog/a%2Bb", 307, "/news/a%2Bb"),
    ];
    for (path, status, location) in table {
        let got = world.get("shop", path).await;
        assert_eq!((got.status, got.headers["location"].to_str().unwrap()), (status, location), "{path}");
    }
    assert_eq!(world.get("shop", "/").await.headers["x-a"], "1");
    for path in ["/netlify.toml", "/vercel.json", "/_redirects"] {
        assert_eq!(world.get("shop", path).await.body, "none", "{path}");
    }
}
