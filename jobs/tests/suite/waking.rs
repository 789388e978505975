//! No wake-up is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::job::JobState;
use jobs::Outcome;
use store::Store;
use tokio::sync::Semaphore;

use crate::rig::{CALM, Rig, TestJob, within};

testkit::on_both_databases! {
    crate::common::open;

    async fn a_worker_that_just_fell_asleep_is_woken(store: Store) {
        let ran = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&ran);
        let rig = Rig::new(store, CALM, move |_| {
            gate.add_permits(1);
            async { Ok(Outcome::Done) }
        });
        let workers = rig.workers(2);
        // Each push comes while the worker goes from busy to idle. Nobody sweeps: a lost wake-up would be waited for in vain.
        for _ in 0..200 {
            rig.start(&rig.job()).await;
            within("the run", ran.acquire()).await.unwrap().forget();
        }
        within("the end of the workers", workers.stop()).await;
    }

    async fn never_more_than_so_many_run_at_once(store: Store) {
        const LIMIT: usize = 4;
        let (running, most, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let shared = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&go_on));
        let rig = Rig::new(store, CALM, move |_| {
            let (running, most, go_on) = shared.clone();
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                go_on.acquire().await.unwrap().forget();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(Outcome::Done)
            }
        });
        let workers = rig.workers(LIMIT);
        let mut ids = Vec::new();
        for _ in 0..20 {
            ids.push(rig.start(&rig.job()).await);
        }
        testkit::wait_until(crate::rig::SOON, "as many as may", async || running.load(Ordering::SeqCst) == LIMIT).await;
        go_on.add_permits(ids.len());
        for id in ids {
            rig.until(id, JobState::Done).await;
        }
        within("the end of the workers", workers.stop()).await;
        assert_eq!(most.load(Ordering::SeqCst), LIMIT);
    }

    async fn jobs_with_one_exclusion_key_follow_each_other_without_a_sweep(store: Store) {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let shared = (Arc::clone(&running), Arc::clone(&most));
        let rig = Rig::new(store, CALM, move |_| {
            let (running, most) = shared.clone();
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(Outcome::Done)
            }
        });
        let workers = rig.workers(8);
        let mut ids = Vec::new();
        for _ in 0..20 {
            ids.push(rig.start(&TestJob { key: Some("release:one".to_owned()), ..rig.job() }).await);
        }
        for id in &ids {
            assert_eq!(rig.until(*id, JobState::Done).await.attempts, 1);
        }
        within("the end of the workers", workers.stop()).await;
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }
}
