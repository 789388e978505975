//! Accounts: permissions, credentials, what carries our tags.

use clouds_aws::{Aws, operations};
use clouds_contract::conformance::Subject as _;
use clouds_contract::testing::Cut;
use clouds_contract::{Credential, ErrorKind, Vendor as _};
use domain::cloud::CheckOutcome;
use domain::secret::Secret;
use serde_json::{Value, json};

use crate::support::{ACCOUNT, REGION, Setting};

#[tokio::test]
async fn permissions_that_cannot_be_found_out_are_unknown_and_never_granted() {
    let Some(setting) = Setting::new().await else { return };
    setting
        .control("PATCH", &format!("principals/aws/{}", setting.key()), json!({"denied": ["iam:SimulatePrincipalPolicy"]}))
        .await;
    let account = setting.open(Cut::never()).account.unwrap();
    let found = account.verify(REGION).await.unwrap();
    assert!(found.principal.starts_with("arn:aws:"), "{}", found.principal);
    if !found.principal.ends_with(":root") {
        assert_eq!(found.checks.len(), operations::actions().len());
        let named =
            |check: &domain::cloud::Check| check.remedy.as_ref().is_some_and(|text| text.contains("iam:SimulatePrincipalPolicy"));
        assert!(found.checks.iter().all(|check| check.outcome == CheckOutcome::Unknown && named(check)), "{:?}", found.checks);
    }
}

#[tokio::test]
async fn everything_of_ours_is_found_by_its_tags() {
    let Some(setting) = Setting::new().await else { return };
    let desired = setting.desired('1');
    setting.done(async |process| process.apply(&desired).await).await;
    let account = setting.open(Cut::never()).account.unwrap();
    let mut kinds: Vec<_> = account.tagged(REGION).await.unwrap().into_iter().map(|tagged| tagged.kind).collect();
    kinds.sort();
    let expected = [
        "aws.cloudfront.distribution",
        "aws.cloudfront.function",
        "aws.cloudfront.key-value-store",
        "aws.cloudfront.origin-access-control",
        "aws.s3.bucket",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn everything_of_servers_that_moto_tells_by_tags_is_found() {
    let Some(setting) = Setting::for_servers().await else { return };
    let desired = setting.desired_server('3');
    setting.done(async |process| process.apply(&desired).await).await;
    let account = setting.open(Cut::never()).account.unwrap();
    let found = account.tagged(REGION).await.unwrap();
    for kind in ["aws.ec2.security-group", "aws.ecs.cluster", "aws.elb.load-balancer", "aws.cloudfront.distribution"] {
        assert!(found.iter().any(|tagged| tagged.kind == kind), "{kind}: {found:?}");
    }
    let id = desired.deployment_id.to_string();
    let is_own = |tagged: &&clouds_contract::Tagged| tagged.tags.get("mikrocloud-deployment") == Some(&id);
    assert!(found.iter().any(|tagged| is_own(&tagged)), "{found:?}");
}

#[tokio::test]
async fn a_role_is_assumed_with_its_external_id() {
    let Some(setting) = Setting::new().await else { return };
    let mut access = setting.access();
    let Credential::AwsKey { id, secret } = access.credential else { panic!("the setting has a key") };
    let (role_arn, external_id) = (format!("arn:aws:iam::{ACCOUNT}:role/mikrocloud"), Secret::new("external"));
    access.credential = Credential::AwsRole { role_arn, external_id, id, secret };
    let cloud = Aws::new().open(access).unwrap();
    let found = cloud.account.unwrap().verify(REGION).await.unwrap();
    assert!(found.principal.contains(":assumed-role/mikrocloud/mikrocloud-"), "{}", found.principal);
}

#[tokio::test]
async fn a_key_that_is_no_longer_accepted_signs_the_account_out() {
    let Some(setting) = Setting::new().await else { return };
    setting.control("POST", "principals", json!({"cloud": "aws"})).await;
    setting.control("DELETE", &format!("principals/aws/{}", setting.key()), Value::Null).await;
    let account = setting.open(Cut::never()).account.unwrap();
    assert_eq!(account.verify(REGION).await.unwrap_err().kind, ErrorKind::SignedOut);
}

#[tokio::test]
async fn a_key_of_another_account_is_refused() {
    let Some(setting) = Setting::new().await else { return };
    let mut access = setting.access();
    access.identity = "210987654321".to_owned();
    let account = Aws::new().open(access).unwrap().account.unwrap();
    assert_eq!(account.verify(REGION).await.unwrap_err().code, "OTHER_ACCOUNT");
}

#[tokio::test]
async fn a_key_that_is_none_and_an_account_that_is_none_are_refused_before_any_call() {
    let Some(setting) = Setting::new().await else { return };
    for identity in ["", "../other", "12345678901", "1234567890123"] {
        let mut access = setting.access();
        access.identity = identity.to_owned();
        assert_eq!(Aws::new().open(access).err().unwrap().code, "ACCOUNT_INVALID");
    }
    for credential in [
        Credential::AwsKey { id: "short".to_owned(), secret: Secret::new("s") },
        Credential::AwsKey { id: "AKIAAAAAAAAAAAAAAAAA".to_owned(), secret: Secret::new("") },
        Credential::GoogleKey { json: Secret::new("{}") },
    ] {
        let mut access = setting.access();
        access.credential = credential;
        assert_eq!(Aws::new().open(access).err().unwrap().code, "KEY_INVALID");
    }
}
