//! Looks at a subscription.

use domain::cloud::CheckOutcome;
use serde_json::json;

use crate::support::Setting;

#[tokio::test]
async fn a_permission_that_is_missing_is_named_with_its_remedy() {
    let setting = Setting::new().await;
    let verified = setting.done(async |process| process.cloud.account.as_ref().unwrap().verify("northeurope").await).await;
    assert!(verified.checks.iter().all(|check| check.outcome == CheckOutcome::Granted), "{:?}", verified.checks);
    let listed = setting.control("GET", "principals", json!(null)).await;
    let client = listed["principals"][0]["id"].as_str().unwrap().to_owned();
    let denied = json!({"denied": ["Microsoft.App/containerApps/write"]});
    setting.control("PATCH", &format!("principals/azure/{client}"), denied).await;
    let verified = setting.done(async |process| process.cloud.account.as_ref().unwrap().verify("northeurope").await).await;
    let missing: Vec<_> = verified.checks.iter().filter(|check| check.outcome == CheckOutcome::Missing).collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0].permission, "Microsoft.App/containerApps/write");
    assert!(missing[0].remedy.as_ref().unwrap().contains("clouds policy azure"));
}
