//! Servers.

use std::time::Duration;

use clouds_contract::conformance::{Process, Subject as _, until};
use clouds_contract::testing::Cut;
use clouds_contract::{Desired, Observation, Retry};
use domain::workload::{Server, WorkloadSpec};
use serde_json::Value;

use crate::support::Setting;

fn server(desired: &mut Desired<WorkloadSpec>) -> &mut Server {
    let WorkloadSpec::Server(server) = &mut desired.spec else { unreachable!("servers are deployed here") };
    server
}

/// The first failure that is observed of a deployment.
async fn failure(setting: &Setting, desired: &Desired<WorkloadSpec>) -> (String, String) {
    let process = Process::new(setting, &setting.journal, &Cut::never());
    let base = process.bases().await.unwrap();
    let scope = process.scope(&base);
    until(async || process.cloud.apply(&scope, desired).await).await.unwrap();
    let watch = async {
        loop {
            match process.cloud.observe(&scope, desired.deployment_id, &desired.spec).await.unwrap() {
                Observation::Failed { code, message } => return (code, message),
                Observation::Ready { .. } => panic!("it is ready"),
                Observation::Pending { .. } | Observation::Absent => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), watch).await.unwrap()
}

#[tokio::test]
async fn servers_are_switched_by_weights_rest_and_go_back_without_an_upload() {
    let Some(setting) = Setting::for_servers().await else { return };
    let (first, second) = (setting.desired_server('3'), setting.desired_server('4'));
    assert_eq!(setting.done(async |process| process.apply(&first).await).await, None);
    let address = setting.done(async |process| process.switch(&first).await).await;
    assert!(address.url.contains(".cloudfront.net"), "{}", address.url);
    setting.shows(&address, "one hello").await;
    setting.done(async |process| process.apply(&second).await).await;
    setting.shows(&address, "one hello").await;
    assert_eq!(setting.done(async |process| process.switch(&second).await).await, address);
    setting.shows(&address, "two hello").await;
    assert_eq!(setting.done(async |process| process.shown().await).await, Some(second.deployment_id));
    // What visitors see is not put to rest.
    setting.done(async |process| process.rest(&second).await).await;
    setting.shows(&address, "two hello").await;
    setting.done(async |process| process.rest(&first).await).await;
    assert_eq!(setting.running().await, 1);

    setting.control("DELETE", "calls", Value::Null).await;
    setting.done(async |process| process.apply(&first).await).await;
    assert_eq!(setting.running().await, 2);
    setting.done(async |process| process.switch(&first).await).await;
    setting.shows(&address, "one hello").await;
    let calls = setting.control("GET", "calls", Value::Null).await;
    let paths: Vec<_> = calls["calls"].as_array().unwrap().iter().map(|call| call["path"].as_str().unwrap()).collect();
    assert!(!paths.iter().any(|path| path.contains("/blobs/")), "{paths:?}");
}

#[tokio::test]
async fn variables_are_parameters_of_a_deployment_and_a_rollback_finds_its_own() {
    let Some(mut setting) = Setting::for_servers().await else { return };
    let (first, second) = (setting.desired_server('3'), setting.desired_server('4'));
    setting.set_variables(&[("GREETING", "before"), ("PORT", "1"), ("EMPTY", "")]);
    setting.done(async |process| process.live(std::slice::from_ref(&first)).await).await;
    assert!(setting.lines().iter().any(|line| line.starts_with("MikroCloud sets PORT itself")), "{:?}", setting.lines());
    setting.set_variables(&[("GREETING", "after")]);
    setting.done(async |process| process.apply(&second).await).await;
    let address = setting.done(async |process| process.switch(&second).await).await;
    setting.shows(&address, "two after").await;
    setting.done(async |process| process.live(std::slice::from_ref(&first)).await).await;
    setting.shows(&address, "one before").await;
    assert_eq!(setting.count("ssm.parameters").await, 2);
    setting.done(async |process| process.delete(&second).await).await;
    assert_eq!(setting.count("ssm.parameters").await, 1);
    setting.shows(&address, "one before").await;
}

#[tokio::test]
async fn a_variable_that_is_too_long_is_refused_by_name_before_anything_is_made() {
    let Some(mut setting) = Setting::for_servers().await else { return };
    setting.done(async |process| process.bases().await).await;
    let before = setting.inventory().await;
    setting.set_variables(&[("LONG", &"x".repeat(4097))]);
    let desired = setting.desired_server('3');
    let error = setting.work(&Cut::never(), async |process| process.apply(&desired).await).await.unwrap().unwrap_err();
    assert_eq!((error.code, error.retry), ("VARIABLE_TOO_LONG", Retry::Never));
    assert!(error.message.contains("LONG") && !error.message.contains("xxx"), "{error}");
    assert_eq!(setting.inventory().await, before);
}

#[tokio::test]
async fn a_deployment_of_another_kind_is_refused_before_anything_is_made() {
    let Some(setting) = Setting::for_both().await else { return };
    let (site, server) = (setting.desired('1'), setting.desired_server('3'));
    setting.done(async |process| process.live(std::slice::from_ref(&site)).await).await;
    let before = setting.inventory().await;
    let error = setting.work(&Cut::never(), async |process| process.apply(&server).await).await.unwrap().unwrap_err();
    assert_eq!((error.code, error.retry), ("KIND_CHANGED", Retry::Never), "{error}");
    assert_eq!(setting.inventory().await, before);
    setting.done(async |process| process.delete(&site).await).await;
    setting.done(async |process| process.remove().await).await;
    setting.done(async |process| process.live(std::slice::from_ref(&server)).await).await;
    let error = setting.work(&Cut::never(), async |process| process.apply(&site).await).await.unwrap().unwrap_err();
    assert_eq!(error.code, "KIND_CHANGED", "{error}");
}

#[tokio::test]
async fn a_program_that_does_not_start_fails_and_the_one_before_goes_on() {
    let Some(setting) = Setting::for_servers().await else { return };
    let (first, mut broken) = (setting.desired_server('3'), setting.desired_server('4'));
    server(&mut broken).command = vec!["python3".to_owned(), "missing.py".to_owned()];
    setting.done(async |process| process.apply(&first).await).await;
    let address = setting.done(async |process| process.switch(&first).await).await;
    let (code, message) = failure(&setting, &broken).await;
    assert_eq!(code, "TASKS_FAILED", "{message}");
    setting.shows(&address, "one hello").await;
    setting.done(async |process| process.delete(&broken).await).await;
    setting.shows(&address, "one hello").await;
    setting.done(async |process| process.leave(std::slice::from_ref(&first)).await).await;
    assert_eq!(setting.inventory().await, Vec::<String>::new());
    assert_eq!(setting.journal.all(), []);
}

#[tokio::test]
async fn a_program_that_answers_its_health_check_with_errors_does_not_become_ready() {
    let Some(setting) = Setting::for_servers().await else { return };
    let mut broken = setting.desired_server('3');
    server(&mut broken).health_path = "/broken".to_owned();
    let process = Process::new(&setting, &setting.journal, &Cut::never());
    let base = process.bases().await.unwrap();
    let scope = process.scope(&base);
    until(async || process.cloud.apply(&scope, &broken).await).await.unwrap();
    // A program that answers well is ready after the first few looks.
    for _ in 0..30 {
        let observed = process.cloud.observe(&scope, broken.deployment_id, &broken.spec).await.unwrap();
        assert!(matches!(observed, Observation::Pending { .. }), "{observed:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn an_account_without_a_default_network_is_told_how_to_make_one() {
    let Some(setting) = Setting::for_servers().await else { return };
    setting.remove_default_network().await;
    let error = setting.work(&Cut::never(), async |process| process.bases().await).await.unwrap().unwrap_err();
    assert_eq!(error.code, "NETWORK_MISSING");
    assert!(error.message.contains("aws ec2 create-default-vpc"), "{error}");
}
