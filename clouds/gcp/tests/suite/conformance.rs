//! The suite that every cloud passes.

use clouds_contract::conformance::{Fixture, Subject, faults, interruption, life, no_request_lost};
use clouds_contract::testing::Place;

use crate::support::Setting;

/// Distance of the places at which work is cut off or meets a fault: each takes a while. With `MIKROCLOUD_SOAK` set it is every one.
fn step(usual: usize) -> usize {
    if std::env::var_os("MIKROCLOUD_SOAK").is_some() { 1 } else { usual }
}

fn fixture(setting: &Setting, kind: &str) -> Fixture {
    setting.fixtures().into_iter().find(|fixture| fixture.kind == kind).unwrap()
}

#[tokio::test]
async fn workloads_live_and_leave_nothing() {
    let setting = Setting::new().await;
    for fixture in setting.fixtures() {
        life(&setting, &fixture).await;
    }
    setting.check_recordings();
}

#[tokio::test]
async fn no_request_is_lost_while_visitors_are_switched() {
    let setting = Setting::new().await;
    for fixture in setting.fixtures() {
        no_request_lost(&setting, &fixture).await;
    }
}

#[tokio::test]
async fn work_that_ends_before_a_call_goes_on() {
    let setting = Setting::new().await;
    interruption(&setting, &fixture(&setting, "static"), Place::BeforeCall, step(17)).await;
}

#[tokio::test]
async fn work_that_ends_after_a_call_goes_on() {
    let setting = Setting::new().await;
    interruption(&setting, &fixture(&setting, "server"), Place::AfterCall, step(17)).await;
    interruption(&setting, &fixture(&setting, "static"), Place::AfterCall, step(19)).await;
}

#[tokio::test]
async fn work_that_ends_after_the_journal_was_written_goes_on() {
    let setting = Setting::new().await;
    interruption(&setting, &fixture(&setting, "server"), Place::AfterJournal, step(5)).await;
}

#[tokio::test]
async fn faults_that_pass_are_waited_out_by_servers() {
    let setting = Setting::new().await;
    faults(&setting, &fixture(&setting, "server"), step(89) as u64).await;
}

#[tokio::test]
async fn faults_that_pass_are_waited_out_by_sites() {
    let setting = Setting::new().await;
    faults(&setting, &fixture(&setting, "static"), step(67) as u64).await;
}
