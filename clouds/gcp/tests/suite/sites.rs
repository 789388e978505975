//! Static sites.

use clouds_contract::conformance::Subject as _;
use clouds_contract::testing::Cut;
use clouds_contract::{Address, Retry};

use crate::support::Setting;

async fn got(setting: &Setting, address: &Address, path: &str) -> (u16, String) {
    let got = setting.get(address, path).await;
    (got.status, got.text)
}

#[tokio::test]
async fn sites_are_shown_switched_and_removed_and_nothing_is_left() {
    let setting = Setting::new().await;
    let (first, second) = (setting.desired_site('3'), setting.desired_site('4'));
    let own = setting.done(async |process| process.apply(&first).await).await.unwrap();
    let address = setting.done(async |process| process.switch(&first).await).await;
    setting.shows(&own, "home one").await;
    setting.done(async |process| process.apply(&second).await).await;
    setting.shows(&address, "home one").await;
    setting.done(async |process| process.switch(&second).await).await;
    setting.shows(&address, "home two").await;
    assert_eq!(got(&setting, &address, "/about").await, (200, "about two".to_owned()));
    assert_eq!(got(&setting, &address, "/docs/a%20b").await, (200, "docs two".to_owned()));
    assert_eq!(got(&setting, &address, "/none").await, (404, "nothing here".to_owned()));
    assert_eq!(got(&setting, &address, "/.secret").await.0, 404);
    assert_eq!(setting.header(&address, "/old/about?a=b", "location").await, (301, "/about?a=b".to_owned()));
    assert_eq!(setting.header(&address, "/docs", "location").await.0, 404);
    assert_eq!(got(&setting, &address, "/shown").await, (200, "about two".to_owned()));
    assert_eq!(setting.header(&address, "/about", "x-version").await, (200, "two".to_owned()));
    assert_eq!(got(&setting, &address, "/_headers").await.0, 404);
    // Back, without an upload.
    setting.control("DELETE", "calls", serde_json::Value::Null).await;
    setting.done(async |process| process.apply(&first).await).await;
    setting.done(async |process| process.switch(&first).await).await;
    setting.shows(&address, "home one").await;
    let calls = setting.control("GET", "calls", serde_json::Value::Null).await;
    let paths: Vec<_> = calls["calls"].as_array().unwrap().iter().map(|call| call["path"].as_str().unwrap()).collect();
    assert!(!paths.iter().any(|path| path.starts_with("/upload")), "{paths:?}");

    setting.done(async |process| process.delete(&second).await).await;
    // The files of the first, and its configuration.
    assert_eq!(setting.count("storage.objects").await, 5);
    setting.done(async |process| process.delete(&first).await).await;
    setting.done(async |process| process.remove().await).await;
    setting.done(async |process| process.dismantle().await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
    assert_eq!(setting.journal.all(), []);
}

#[tokio::test]
async fn a_server_takes_the_place_of_a_site_and_the_other_way_round() {
    let setting = Setting::new().await;
    let (site, server) = (setting.desired_site('3'), setting.desired('1'));
    setting.done(async |process| process.apply(&site).await).await;
    let address = setting.done(async |process| process.switch(&site).await).await;
    setting.done(async |process| process.apply(&server).await).await;
    assert_eq!(setting.done(async |process| process.switch(&server).await).await, address);
    setting.shows(&address, "one hello").await;
    setting.done(async |process| process.switch(&site).await).await;
    setting.shows(&address, "home one").await;
}

#[tokio::test]
async fn a_site_without_files_is_refused_with_what_to_look_at() {
    let setting = Setting::new().await;
    let mut site = setting.desired_site('3');
    site.spec = domain::workload::WorkloadSpec::Static(domain::workload::StaticSite { root: "docs-of-nobody".to_owned() });
    let error = setting.work(&Cut::never(), async |process| process.apply(&site).await).await.unwrap().unwrap_err();
    assert!(error.retry == Retry::Never && error.message.contains("mikrocloud.toml"), "{error:?}");
}
