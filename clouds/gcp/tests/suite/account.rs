//! Accounts: permissions, credentials, what carries our labels.

use clouds_contract::conformance::Subject as _;
use clouds_contract::testing::Cut;
use clouds_contract::{Credential, ErrorKind, Vendor as _};
use clouds_gcp::{Gcp, operations};
use domain::cloud::CheckOutcome;
use domain::secret::Secret;
use serde_json::{Value, json};

use crate::support::{REGION, Setting};

fn used() -> Vec<String> {
    operations::permissions().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn each_permission_that_is_missing_is_named_with_its_remedy() {
    let all = used();
    let missing = ["run.services.create", "storage.buckets.get", "resourcemanager.projects.get"];
    let rest: Vec<_> = all.iter().filter(|permission| !missing.contains(&permission.as_str())).cloned().collect();
    let setting = Setting::with_permissions(&rest).await;
    let account = setting.open(Cut::never()).account.unwrap();
    let found = account.verify(REGION).await.unwrap();
    assert_eq!(found.principal, "deployer@demo-project.iam.gserviceaccount.com");
    assert_eq!(found.checks.len(), all.len());
    let mut named: Vec<_> = found.checks.iter().filter(|check| check.outcome != CheckOutcome::Granted).collect();
    named.sort_by_key(|check| missing.iter().position(|permission| *permission == check.permission));
    assert_eq!(named.iter().map(|check| check.permission.as_str()).collect::<Vec<_>>(), missing);
    for check in named {
        assert!(check.remedy.as_ref().unwrap().contains(&format!("--add-permissions {}", check.permission)));
    }
}

#[tokio::test]
async fn the_role_has_everything_that_deployments_need() {
    // Google asks for no permission to see operations of Artifact Registry; the sandbox does.
    let permissions = [used(), vec!["artifactregistry.operations.get".to_owned()]].concat();
    let setting = Setting::with_permissions(&permissions).await;
    let (first, second) = (setting.desired('1'), setting.desired_site('3'));
    for desired in [&first, &second] {
        setting.done(async |process| process.apply(desired).await).await;
        setting.done(async |process| process.switch(desired).await).await;
    }
    let account = setting.open(Cut::never()).account.unwrap();
    assert!(account.tagged(REGION).await.unwrap().len() >= 5);
    for desired in [&first, &second] {
        setting.done(async |process| process.delete(desired).await).await;
    }
    setting.done(async |process| process.remove().await).await;
    setting.done(async |process| process.dismantle().await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
    assert_eq!(account.tagged(REGION).await.unwrap(), []);
}

#[tokio::test]
async fn a_permission_that_is_missing_while_deploying_is_named() {
    let setting = Setting::new().await;
    let path = "principals/google/deployer@demo-project.iam.gserviceaccount.com";
    setting.control("PATCH", path, json!({"denied": ["secretmanager.secrets.create"]})).await;
    let desired = setting.desired('1');
    let error = setting.work(&Cut::never(), async |process| process.apply(&desired).await).await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.message.contains("secretmanager.secrets.create"), "{error}");
}

#[tokio::test]
async fn a_key_that_is_no_longer_accepted_signs_the_account_out() {
    let setting = Setting::new().await;
    let path = "principals/google/deployer@demo-project.iam.gserviceaccount.com";
    setting.control("POST", "principals", json!({"cloud": "google", "project": "demo-project", "name": "other"})).await;
    setting.control("DELETE", path, Value::Null).await;
    let account = setting.open(Cut::never()).account.unwrap();
    assert_eq!(account.verify(REGION).await.unwrap_err().kind, ErrorKind::SignedOut);
}

#[tokio::test]
async fn a_key_that_is_none_and_a_project_that_is_none_are_refused_before_any_call() {
    let setting = Setting::new().await;
    let mut access = setting.access();
    access.identity = "../other".to_owned();
    assert_eq!(Gcp::new().open(access).err().unwrap().code, "PROJECT_INVALID");
    let mut access = setting.access();
    access.credential = Credential::GoogleKey { json: Secret::new("{}") };
    assert_eq!(Gcp::new().open(access).err().unwrap().code, "KEY_INVALID");
}
