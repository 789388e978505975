use std::time::Duration;

use super::process::{check_empty, deployments, given};
use super::record::passed;
use super::{Fault, Fixture, Process, Subject};
use crate::testing::{Cut, MemoryJournal};

/// Faults that pass: work goes on after them.
const PASSING: [Fault; 8] = [
    Fault::Throttle(Duration::from_secs(1)),
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Reset,
    Fault::LostAnswer,
    Fault::Undecodable,
    Fault::Expired,
];

/// Every fault that passes, at every `step`-th call. Does nothing for a subject without faults.
pub async fn faults(subject: &dyn Subject, fixture: &Fixture, step: u64) {
    let mut cases = 0;
    for fault in PASSING {
        cases += tolerates(subject, fixture, fault, step).await;
    }
    if cases > 0 {
        passed(subject, fixture, "faults that pass", cases);
    }
}

/// A fault at every `step`-th call, until the work is done before it is met: the deployments are made and removed all the same, with
/// one of everything in between. Gives the number of faults that were met; 0 for a subject without faults.
pub async fn tolerates(subject: &dyn Subject, fixture: &Fixture, fault: Fault, step: u64) -> usize {
    let Some(faults) = subject.faults() else { return 0 };
    let journal = MemoryJournal::new(subject.whose());
    let process = || Process::new(subject, &journal, &Cut::never()).enduring();
    let mut usual = None;
    let mut met = 0;
    for nth in (0_u64..).map(|number| 1 + number * step.max(1)) {
        let at = format!("{}: {fault:?} at call {nth}", fixture.kind);
        let both = deployments(subject, fixture);
        faults.add(fault, nth).await;
        given(process().live(&both).await, &at);
        let is_met = faults.clear().await;
        let address = given(process().switch(&both[1]).await, &at);
        process().check_shows(&address, &fixture.versions[1]).await;
        let count = (subject.inventory().await.len(), journal.all().len());
        assert_eq!(*usual.get_or_insert(count), count, "{at}: there is one of everything");
        faults.add(fault, nth).await;
        given(process().leave(&both).await, &at);
        let is_met = faults.clear().await || is_met;
        check_empty(subject, &journal, &at).await;
        if !is_met {
            break;
        }
        met += 1;
    }
    met
}
