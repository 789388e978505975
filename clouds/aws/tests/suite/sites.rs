//! Static sites.

use clouds_contract::conformance::Subject as _;
use clouds_contract::testing::Cut;
use clouds_contract::{Address, Retry};
use serde_json::Value;

use crate::support::Setting;

async fn got(setting: &Setting, address: &Address, path: &str) -> (u16, String) {
    let got = setting.get(address, path).await;
    (got.status, got.text)
}

#[tokio::test]
async fn sites_are_shown_switched_and_removed_and_nothing_is_left() {
    let Some(setting) = Setting::new().await else { return };
    let (first, second) = (setting.desired('1'), setting.desired('2'));
    assert_eq!(setting.done(async |process| process.apply(&first).await).await, None);
    let address = setting.done(async |process| process.switch(&first).await).await;
    assert!(address.url.contains(".cloudfront.net"), "{}", address.url);
    assert_eq!(got(&setting, &address, "/").await, (200, "home one".to_owned()));
    setting.done(async |process| process.apply(&second).await).await;
    assert_eq!(got(&setting, &address, "/").await, (200, "home one".to_owned()));
    assert_eq!(setting.done(async |process| process.switch(&second).await).await, address);
    assert_eq!(setting.done(async |process| process.shown().await).await, Some(second.deployment_id));
    for (path, text) in
        [("/", "home two"), ("/about", "about two"), ("/about.html", "about two"), ("/docs/", "docs two"), ("/docs", "docs two")]
    {
        assert_eq!(got(&setting, &address, path).await, (200, text.to_owned()), "{path}");
    }
    assert_eq!(got(&setting, &address, "/docs/a%20b").await, (200, "spaced two".to_owned()));
    assert_eq!(got(&setting, &address, "/none").await, (404, "nothing here two".to_owned()));
    assert_eq!(got(&setting, &address, "/_headers").await.0, 404);
    assert_eq!(got(&setting, &address, "/.secret").await.0, 404);
    assert_eq!(setting.header(&address, "/", "content-type").await, (200, "text/html; charset=utf-8".to_owned()));
    assert!(setting.lines().iter().any(|line| line.contains("_headers")), "{:?}", setting.lines());
    // Back, without an upload.
    setting.control("DELETE", "calls", Value::Null).await;
    setting.done(async |process| process.apply(&first).await).await;
    setting.done(async |process| process.switch(&first).await).await;
    assert_eq!(got(&setting, &address, "/").await, (200, "home one".to_owned()));
    assert_eq!(got(&setting, &address, "/none").await, (404, "nothing here one".to_owned()));
    let calls = setting.control("GET", "calls", Value::Null).await;
    let is_upload = |call: &&Value| call["method"] == "PUT" && call["path"].as_str().unwrap().contains("/sites/");
    assert_eq!(calls["calls"].as_array().unwrap().iter().filter(is_upload).count(), 0);

    setting.done(async |process| process.delete(&second).await).await;
    assert_eq!(got(&setting, &address, "/").await, (200, "home one".to_owned()));
    setting.done(async |process| process.delete(&first).await).await;
    setting.done(async |process| process.remove().await).await;
    assert_eq!(setting.done(async |process| process.shown().await).await, None);
    setting.done(async |process| process.dismantle().await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
    assert_eq!(setting.journal.all(), []);
}

#[tokio::test]
async fn a_distribution_that_somebody_disabled_is_enabled_with_the_next_deployment() {
    let Some(setting) = Setting::new().await else { return };
    let first = setting.desired('1');
    setting.done(async |process| process.apply(&first).await).await;
    let address = setting.done(async |process| process.switch(&first).await).await;
    setting.disable_distribution().await;
    assert_eq!(got(&setting, &address, "/").await.0, 503);
    setting.done(async |process| process.apply(&first).await).await;
    assert_eq!(got(&setting, &address, "/").await, (200, "home one".to_owned()));
}

#[tokio::test]
async fn a_site_without_files_is_refused_with_what_to_look_at() {
    let Some(setting) = Setting::new().await else { return };
    let mut site = setting.desired('1');
    site.spec = domain::workload::WorkloadSpec::Static(domain::workload::StaticSite { root: "docs-of-nobody".to_owned() });
    let error = setting.work(&Cut::never(), async |process| process.apply(&site).await).await.unwrap().unwrap_err();
    assert!(error.retry == Retry::Never && error.message.contains("mikrocloud.toml"), "{error:?}");
}
