//! The life of deployments.

use crate::support::Setting;

#[tokio::test]
async fn servers_are_made_switched_and_removed_and_nothing_is_left() {
    let setting = Setting::new().await;
    let (first, second) = (setting.desired('1'), setting.desired('2'));
    let own = setting.done(async |worker| worker.apply(&first).await).await.unwrap();
    let address = setting.done(async |worker| worker.switch(&first).await).await;
    setting.shows(&own, "one hello").await;
    setting.shows(&address, "one hello").await;
    // Applied twice makes one.
    setting.done(async |worker| worker.apply(&first).await).await;
    assert_eq!(setting.count("Microsoft.App/containerApps").await, 1);

    let next = setting.done(async |worker| worker.apply(&second).await).await.unwrap();
    setting.shows(&next, "two hello").await;
    setting.shows(&address, "one hello").await;
    assert_eq!(setting.done(async |worker| worker.switch(&second).await).await, address);
    setting.shows(&address, "two hello").await;
    setting.shows(&own, "one hello").await;

    // Back, without an upload.
    setting.control("DELETE", "calls", serde_json::Value::Null).await;
    setting.done(async |worker| worker.rest(&first).await).await;
    setting.done(async |worker| worker.apply(&first).await).await;
    setting.done(async |worker| worker.switch(&first).await).await;
    setting.shows(&address, "one hello").await;
    let calls = setting.control("GET", "calls", serde_json::Value::Null).await;
    let hosts: Vec<_> = calls["calls"].as_array().unwrap().iter().map(|call| call["host"].as_str().unwrap()).collect();
    assert!(!hosts.iter().any(|host| host.contains("azurecr.io")), "{hosts:?}");

    for desired in [&second, &second, &first] {
        setting.done(async |worker| worker.delete(desired).await).await;
    }
    setting.done(async |worker| worker.remove().await).await;
    setting.done(async |worker| worker.remove().await).await;
    setting.done(async |worker| worker.dismantle().await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
    assert_eq!(setting.journal.all(), []);
}

#[tokio::test]
async fn a_site_is_published_file_by_file_and_goes_back_without_an_upload() {
    let mut setting = Setting::new().await;
    let pages =
        [("index.html", "one"), ("about.html", "about"), ("assets/index-B3k2a9Zq.js", "js"), ("404.html", "nothing here")];
    let (first, second) = (setting.site('3', &pages), setting.site('4', &[("index.html", "two")]));
    setting.done(async |worker| worker.apply(&first).await).await;
    let address = setting.done(async |worker| worker.switch(&first).await).await;
    setting.shows(&address, "one").await;
    assert_eq!(setting.get(&address, "/about").await, (200, "about".to_owned()));
    assert_eq!(setting.get(&address, "/missing").await, (404, "nothing here".to_owned()));
    setting.done(async |worker| worker.apply(&second).await).await;
    setting.shows(&address, "one").await;
    setting.done(async |worker| worker.switch(&second).await).await;
    setting.shows(&address, "two").await;
    assert_eq!(setting.get(&address, "/about").await.0, 404);
    // Who has the first page open still finds its script.
    assert_eq!(setting.get(&address, "/assets/index-B3k2a9Zq.js").await.0, 200);
    setting.done(async |worker| worker.switch(&first).await).await;
    setting.shows(&address, "one").await;
    setting.done(async |worker| worker.switch(&second).await).await;
    setting.done(async |worker| worker.delete(&first).await).await;
    assert_eq!(setting.get(&address, "/assets/index-B3k2a9Zq.js").await.0, 404);
    setting.done(async |worker| worker.delete(&second).await).await;
    setting.done(async |worker| worker.remove().await).await;
    setting.done(async |worker| worker.dismantle().await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
    assert_eq!(setting.journal.all(), []);
}
