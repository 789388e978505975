//! Many jobs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobs::payload::job_of;
use jobs::{JobAttempt, Outcome};
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::rig::{CALM, Rig, within};

const DEADLINE: Duration = Duration::from_mins(3);

/// Writes this many jobs, wakes workers for a part of them, and leaves the rest to the sweeper.
async fn all_are_done_once(store: Store, count: usize) {
    let runs = Arc::new(Mutex::new(HashMap::new()));
    let seen = Arc::clone(&runs);
    let rig = Rig::new(store, CALM, move |run: JobAttempt| {
        *seen.lock().unwrap().entry(run.job.id).or_insert(0) += 1;
        async { Ok(Outcome::Done) }
    });
    let workers = rig.workers(16);
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(rig.sweeper().run(stop.clone()));
    let jobs: Vec<_> = (0..count).map(|_| job_of(&rig.job())).collect();
    for batch in jobs.chunks(100) {
        let ids = rig.insert(batch).await;
        // Half of them twice, and some not at all.
        for id in ids.iter().skip(10).chain(&ids[..50]) {
            rig.wake(*id);
        }
    }
    testkit::wait_until(DEADLINE, "all jobs to be done", async || {
        let counts = rig.store.job_state_counts().await.unwrap();
        counts.iter().all(|(_, state, _)| *state == domain::job::JobState::Done)
    })
    .await;
    stop.cancel();
    within("the end of the sweeper", sweeping).await.unwrap();
    within("the end of the workers", workers.stop()).await;
    let runs = runs.lock().unwrap();
    assert_eq!((runs.len(), runs.values().copied().max()), (count, Some(1)));
}

testkit::on_both_databases! {
    crate::common::open;

    async fn thousands_of_jobs_are_each_done_once(store: Store) {
        all_are_done_once(store, 5000).await;
    }
}
