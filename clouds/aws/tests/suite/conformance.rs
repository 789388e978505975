//! The suite that every cloud passes.

use std::time::Duration;

use clouds_contract::conformance::{Fault, Subject as _, faults, interruption, life, no_request_lost, tolerates};
use clouds_contract::testing::Place;

use crate::support::Setting;

/// Distance of the places at which work is cut off or meets a fault: each takes a while. With `MIKROCLOUD_SOAK` set it is every one.
fn step(usual: usize) -> usize {
    if std::env::var_os("MIKROCLOUD_SOAK").is_some() { 1 } else { usual }
}

#[tokio::test]
async fn sites_live_and_leave_nothing() {
    let Some(setting) = Setting::new().await else { return };
    life(&setting, &setting.fixtures()[0]).await;
    setting.check_recordings();
}

#[tokio::test]
async fn no_request_is_lost_while_visitors_are_switched() {
    let Some(setting) = Setting::new().await else { return };
    no_request_lost(&setting, &setting.fixtures()[0]).await;
}

#[tokio::test]
async fn work_that_ends_before_a_call_goes_on() {
    let Some(setting) = Setting::new().await else { return };
    interruption(&setting, &setting.fixtures()[0], Place::BeforeCall, step(17)).await;
}

#[tokio::test]
async fn work_that_ends_after_a_call_goes_on() {
    let Some(setting) = Setting::new().await else { return };
    interruption(&setting, &setting.fixtures()[0], Place::AfterCall, step(13)).await;
}

#[tokio::test]
async fn work_that_ends_after_the_journal_was_written_goes_on() {
    let Some(setting) = Setting::new().await else { return };
    interruption(&setting, &setting.fixtures()[0], Place::AfterJournal, step(5)).await;
}

#[tokio::test]
async fn servers_live_and_leave_nothing() {
    let Some(setting) = Setting::for_servers().await else { return };
    life(&setting, &setting.fixtures()[1]).await;
    setting.check_recordings();
}

#[tokio::test]
async fn no_request_to_servers_is_lost_while_visitors_are_switched() {
    let Some(setting) = Setting::for_servers().await else { return };
    no_request_lost(&setting, &setting.fixtures()[1]).await;
}

#[tokio::test]
async fn work_on_servers_that_ends_before_a_call_goes_on() {
    let Some(setting) = Setting::for_servers().await else { return };
    interruption(&setting, &setting.fixtures()[1], Place::BeforeCall, step(67)).await;
}

#[tokio::test]
async fn work_on_servers_that_ends_after_a_call_goes_on() {
    let Some(setting) = Setting::for_servers().await else { return };
    interruption(&setting, &setting.fixtures()[1], Place::AfterCall, step(59)).await;
}

#[tokio::test]
async fn work_on_servers_that_ends_after_the_journal_was_written_goes_on() {
    let Some(setting) = Setting::for_servers().await else { return };
    interruption(&setting, &setting.fixtures()[1], Place::AfterJournal, step(23)).await;
}

#[tokio::test]
async fn faults_that_pass_are_waited_out_by_servers() {
    let Some(setting) = Setting::for_servers().await else { return };
    let fixture = &setting.fixtures()[1];
    // A life of a server takes long here: without `MIKROCLOUD_SOAK` some faults stand for all.
    if step(2) == 1 {
        return faults(&setting, fixture, 1).await;
    }
    for fault in [Fault::LostAnswer, Fault::Status(503), Fault::Throttle(Duration::from_secs(1))] {
        tolerates(&setting, fixture, fault, 131).await;
    }
}

#[tokio::test]
async fn faults_that_pass_are_waited_out() {
    let Some(setting) = Setting::new().await else { return };
    faults(&setting, &setting.fixtures()[0], step(47) as u64).await;
}
