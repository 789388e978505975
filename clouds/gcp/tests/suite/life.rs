//! The life of deployments.

use std::time::Duration;

use clouds_contract::conformance::{Process, Subject as _, until};
use clouds_contract::testing::Cut;
use clouds_contract::{Observation, Retry};
use domain::workload::WorkloadSpec;

use crate::support::Setting;

#[tokio::test]
async fn going_back_uploads_nothing() {
    let setting = Setting::new().await;
    let (first, second) = (setting.desired('1'), setting.desired('2'));
    setting.done(async |process| process.live(&[first.clone(), second]).await).await;
    setting.control("DELETE", "calls", serde_json::Value::Null).await;
    setting.done(async |process| process.live(&[first]).await).await;
    let calls = setting.control("GET", "calls", serde_json::Value::Null).await;
    let paths: Vec<_> = calls["calls"].as_array().unwrap().iter().map(|call| call["path"].as_str().unwrap()).collect();
    assert!(!paths.iter().any(|path| path.contains("/blobs/")), "{paths:?}");
}

#[tokio::test]
async fn variables_are_secrets_of_a_deployment_and_a_rollback_finds_its_own() {
    let mut setting = Setting::new().await;
    let (first, second) = (setting.desired('1'), setting.desired('2'));
    setting.set_variables(&[("GREETING", "before"), ("PORT", "1")]);
    let own = setting.done(async |process| process.apply(&first).await).await.unwrap();
    setting.done(async |process| process.switch(&first).await).await;
    assert!(setting.log.0.lock().unwrap().iter().any(|line| line.starts_with("Cloud Run sets PORT itself")));
    setting.set_variables(&[("GREETING", "after")]);
    setting.done(async |process| process.apply(&second).await).await;
    let address = setting.done(async |process| process.switch(&second).await).await;
    setting.shows(&address, "two after").await;
    setting.done(async |process| process.apply(&first).await).await;
    setting.done(async |process| process.switch(&first).await).await;
    setting.shows(&address, "one before").await;
    setting.shows(&own, "one before").await;
    assert_eq!(setting.count("secretmanager.secrets").await, 2);
    setting.done(async |process| process.delete(&second).await).await;
    assert_eq!(setting.count("secretmanager.secrets").await, 1);
    setting.shows(&address, "one before").await;
}

#[tokio::test]
async fn a_program_that_does_not_start_fails_and_the_one_before_goes_on() {
    let setting = Setting::new().await;
    let (first, mut broken, third) = (setting.desired('1'), setting.desired('2'), setting.desired('2'));
    let WorkloadSpec::Server(server) = &mut broken.spec else { unreachable!("servers are deployed here") };
    server.command = vec!["python3".to_owned(), "missing.py".to_owned()];
    setting.done(async |process| process.apply(&first).await).await;
    let address = setting.done(async |process| process.switch(&first).await).await;
    let error = setting.work(&Cut::never(), async |process| process.apply(&broken).await).await.unwrap().unwrap_err();
    assert_eq!((error.code, error.retry), ("REVISION_FAILED", Retry::Never), "{error}");
    setting.shows(&address, "one hello").await;
    // Cloud Run keeps its newest revision: it waits for a newer one.
    setting.done(async |process| process.delete(&broken).await).await;
    assert_eq!((setting.count("run.revisions").await, setting.count("image").await), (2, 2));
    setting.done(async |process| process.apply(&third).await).await;
    setting.done(async |process| process.switch(&third).await).await;
    setting.shows(&address, "two hello").await;
    // Each switch goes on with it.
    for _ in 0..5 {
        setting.done(async |process| process.switch(&third).await).await;
    }
    assert_eq!(setting.count("run.revisions").await, 2);
    // What visitors see goes with the service.
    for desired in [&first, &third] {
        setting.done(async |process| process.delete(desired).await).await;
    }
    setting.done(async |process| process.remove().await).await;
    setting.done(async |process| process.dismantle().await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
    assert_eq!(setting.journal.all(), []);
}

#[tokio::test]
async fn a_first_program_that_does_not_start_leaves_nothing() {
    let setting = Setting::new().await;
    let mut broken = setting.desired('1');
    let WorkloadSpec::Server(server) = &mut broken.spec else { unreachable!("servers are deployed here") };
    server.command = vec!["python3".to_owned(), "missing.py".to_owned()];
    let error = setting.work(&Cut::never(), async |process| process.apply(&broken).await).await.unwrap().unwrap_err();
    assert_eq!(error.code, "REVISION_FAILED");
    setting.done(async |process| process.delete(&broken).await).await;
    setting.done(async |process| process.remove().await).await;
    setting.done(async |process| process.dismantle().await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_program_that_answers_with_errors_is_not_shown_to_anybody() {
    let setting = Setting::new().await;
    let mut broken = setting.desired('1');
    let WorkloadSpec::Server(server) = &mut broken.spec else { unreachable!("servers are deployed here") };
    server.health_path = "/broken".to_owned();
    let process = Process::new(&setting, &setting.journal, &Cut::never());
    let base = process.bases().await.unwrap();
    let scope = process.scope(&base);
    until(async || process.cloud.apply(&scope, &broken).await).await.unwrap();
    let observe = || process.cloud.observe(&scope, broken.deployment_id, &broken.spec);
    let mut observed = observe().await.unwrap();
    while matches!(observed, Observation::Pending { .. }) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        observed = observe().await.unwrap();
    }
    let Observation::Failed { code, message } = observed else { panic!("{observed:?}") };
    assert!(code == "HEALTH_CHECK_FAILED" && message.contains("500 at /broken"), "{message}");
}
