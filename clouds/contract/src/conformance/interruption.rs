use super::process::{check_empty, deployments, given};
use super::record::passed;
use super::{Fixture, Process, Subject};
use crate::testing::{Cut, MemoryJournal, Place};

/// Work that ends at a place, as a crash ends it, goes on in another process: there is one of everything then, and nothing in the end.
/// Cuts it off at every `step`-th pass of the place, until it is no longer cut off.
pub async fn interruption(subject: &dyn Subject, fixture: &Fixture, place: Place, step: usize) {
    // What a life without interruptions makes.
    let journal = MemoryJournal::new(subject.whose());
    let whole = Process::new(subject, &journal, &Cut::never());
    let both = deployments(subject, fixture);
    given(whole.live(&both).await, fixture.kind);
    let usual = (subject.inventory().await.len(), journal.all().len());
    given(whole.leave(&both).await, fixture.kind);

    for (case, after) in (1..).step_by(step.max(1)).enumerate() {
        let at = format!("{} cut off at {place:?} {after}", fixture.kind);
        let both = deployments(subject, fixture);
        let cut = Cut::at(place, after);
        let process = Process::new(subject, &journal, &cut);
        let is_made = cut.run(Box::pin(process.live(&both))).await.map(|result| given(result, &at)).is_some();
        let process = Process::new(subject, &journal, &Cut::never());
        given(process.live(&both).await, &at);
        let address = given(process.switch(&both[1]).await, &at);
        process.check_shows(&address, &fixture.versions[1]).await;
        assert_eq!((subject.inventory().await.len(), journal.all().len()), usual, "{at}: there is one of everything");

        let cut = Cut::at(place, after);
        let process = Process::new(subject, &journal, &cut);
        let is_left = cut.run(Box::pin(process.leave(&both))).await.map(|result| given(result, &at)).is_some();
        let process = Process::new(subject, &journal, &Cut::never());
        given(process.leave(&both).await, &at);
        check_empty(subject, &journal, &at).await;
        if is_made && is_left {
            assert!(case > 0, "{at}: nothing was cut off");
            return passed(subject, fixture, &format!("interruption {}", place.name()), case);
        }
    }
}
