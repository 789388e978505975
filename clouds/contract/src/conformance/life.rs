use std::time::Duration;

use domain::workload::WorkloadSpec;

use super::process::{check_empty, deployments, given};
use super::record::passed;
use super::{Fixture, Process, Subject};
use crate::Switch;
use crate::testing::{Cut, MemoryJournal};

/// Switches through which no request may be lost.
const SWITCHES: usize = 5;

/// Pause between two requests: 50 a second.
const BETWEEN: Duration = Duration::from_millis(20);

/// The life of a kind of workload: applied twice makes one; from the second deployment on it is shown only after the switch, and the
/// one before stays at its own address; going back needs nothing new; what rests can be woken; deleting twice is no error; deleting what
/// is shown leaves nothing.
pub async fn life(subject: &dyn Subject, fixture: &Fixture) {
    let journal = MemoryJournal::new(subject.whose());
    // Each step is another process.
    let process = || Process::new(subject, &journal, &Cut::never());
    let [first, second] = deployments(subject, fixture);
    let [one, two] = &fixture.versions;
    let at = fixture.kind;

    let own = given(process().apply(&first).await, at);
    let address = given(process().switch(&first).await, at);
    process().check_shows(&address, one).await;
    let before = subject.inventory().await.len();
    given(process().apply(&first).await, at);
    assert_eq!(subject.inventory().await.len(), before, "{at}: applied twice makes one");
    assert_eq!(given(process().shown().await, at), Some(first.deployment_id), "{at}");

    let next = given(process().apply(&second).await, at);
    process().check_shows(&address, one).await;
    if let Some(next) = &next {
        process().check_shows(next, two).await;
    }
    assert_eq!(given(process().switch(&second).await, at), address, "{at}: the environment's address outlives deployments");
    process().check_shows(&address, two).await;
    if let Some(own) = &own {
        process().check_shows(own, one).await;
    }
    given(process().rest(&first).await, at);
    given(process().rest(&first).await, at);
    process().check_shows(&address, two).await;

    given(process().apply(&first).await, at);
    given(process().switch(&first).await, at);
    process().check_shows(&address, one).await;

    for desired in [&second, &second, &first] {
        given(process().delete(desired).await, at);
    }
    assert_eq!(given(process().shown().await, at), None, "{at}");
    for _ in 0..2 {
        given(process().remove().await, at);
        given(process().dismantle().await, at);
    }
    check_empty(subject, &journal, at).await;
    passed(subject, fixture, "life", 1);
}

/// No request is lost while visitors are switched: each answer is whole, and of one of the two. For clouds that switch at once.
pub async fn no_request_lost(subject: &dyn Subject, fixture: &Fixture) {
    let journal = MemoryJournal::new(subject.whose());
    let process = Process::new(subject, &journal, &Cut::never());
    let about = process.cloud.about;
    let switch = match &fixture.versions[0].spec {
        WorkloadSpec::Static(_) => about.static_sites.as_ref().map(|about| about.switch),
        WorkloadSpec::Server(_) => about.servers.as_ref().map(|about| about.switch),
        WorkloadSpec::Functions(_) => None,
    };
    if switch != Some(Switch::Atomic) {
        return;
    }
    let both = deployments(subject, fixture);
    let at = fixture.kind;
    given(process.live(&both).await, at);
    let address = given(process.switch(&both[1]).await, at);
    let switching = async {
        for number in 0..SWITCHES {
            given(process.switch(&both[number % 2]).await, at);
        }
    };
    tokio::pin!(switching);
    let mut asked = 0;
    loop {
        tokio::select! {
            biased;
            () = &mut switching => break,
            () = tokio::time::sleep(BETWEEN) => {
                let got = subject.get(&address, "/").await;
                let is_one = fixture.versions.iter().any(|version| version.shows == got.text);
                assert!(got.status == 200 && is_one, "{at}: request {asked} got {got:?}");
                asked += 1;
            }
        }
    }
    process.check_shows(&address, &fixture.versions[0]).await;
    given(process.leave(&both).await, at);
    check_empty(subject, &journal, at).await;
    passed(subject, fixture, "no request lost", SWITCHES);
}
