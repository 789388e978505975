//! Work that is cut off: another process goes on, with one of everything, and nothing is left in the end.

use clouds_contract::CloudError;
use clouds_contract::Desired;
use clouds_contract::testing::{Cut, Place};
use domain::workload::WorkloadSpec;

use crate::support::{Setting, Worker};

/// The whole life of two deployments.
async fn live(worker: &Worker<'_>, deployments: [&Desired<WorkloadSpec>; 2]) -> Result<(), CloudError> {
    for desired in deployments {
        worker.apply(desired).await?;
        worker.switch(desired).await?;
    }
    Ok(())
}

async fn leave(worker: &Worker<'_>, deployments: [&Desired<WorkloadSpec>; 2]) -> Result<(), CloudError> {
    for desired in deployments {
        worker.delete(desired).await?;
    }
    worker.remove().await?;
    worker.dismantle().await
}

/// Distance of the places at which the life is cut off: each of them takes seconds. With `MIKROCLOUD_SOAK` set it is every one.
fn step() -> usize {
    if std::env::var_os("MIKROCLOUD_SOAK").is_some() { 1 } else { 7 }
}

/// Cuts the life of deployments off at every n-th place, and goes on each time.
async fn cut_off_at(place: Place) {
    let setting = Setting::new().await;
    for after in (1..).step_by(step()) {
        let (first, second) = (setting.desired('1'), setting.desired_site('4'));
        let both = [&first, &second];
        let cut = Cut::at(place, after);
        let is_whole = setting.work(&cut, async |worker| live(worker, both).await).await.map(Result::unwrap).is_some();
        setting.done(async |worker| live(worker, both).await).await;
        let address = setting.done(async |worker| worker.switch(&second).await).await;
        setting.shows(&address, "home two").await;
        let counts = (setting.count("run.services").await, setting.count("run.revisions").await, setting.count("image").await);
        // The image of the server of sites is the account's.
        assert_eq!(counts, (1, 2, 2), "{place:?} {after}");
        assert_eq!(setting.count("secretmanager.secrets").await, 1, "{place:?} {after}");
        assert_eq!(setting.count("storage.objects").await, 5, "{place:?} {after}");
        let cut = Cut::at(place, after);
        let is_left = setting.work(&cut, async |worker| leave(worker, both).await).await.map(Result::unwrap).is_some();
        setting.done(async |worker| leave(worker, both).await).await;
        assert_eq!(setting.inventory().await, Vec::<String>::new(), "{place:?} {after}");
        assert_eq!(setting.journal.all(), [], "{place:?} {after}");
        if is_whole && is_left {
            assert!(after > 20, "nothing was cut off");
            return;
        }
    }
}

#[tokio::test]
async fn work_that_ends_before_a_call_goes_on() {
    cut_off_at(Place::BeforeCall).await;
}

#[tokio::test]
async fn work_that_ends_after_a_call_goes_on() {
    cut_off_at(Place::AfterCall).await;
}

#[tokio::test]
async fn work_that_ends_after_the_journal_was_written_goes_on() {
    cut_off_at(Place::AfterJournal).await;
}
