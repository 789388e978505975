//! A job runs once, by whatever way a worker hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::job::JobState;
use jobs::{JobAttempt, JobError, Outcome};
use store::Store;
use tokio::sync::Semaphore;

use crate::rig::{CALM, Rig, TestJob, within};

/// Counts its runs.
fn counted(store: Store) -> (Rig, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let rig = Rig::new(store, CALM, move |_| {
        let counter = Arc::clone(&counter);
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(Outcome::Done)
        }
    });
    (rig, runs)
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_job_that_was_pushed_runs_once(store: Store) {
        let (rig, runs) = counted(store);
        let workers = rig.workers(2);
        let id = rig.start(&rig.job()).await;
        let job = rig.until(id, JobState::Done).await;
        assert_eq!((job.attempts, job.lease_token, job.last_error), (1, None, None));
        within("the end of the workers", workers.stop()).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    async fn a_job_that_was_pushed_twice_runs_once(store: Store) {
        let (rig, runs) = counted(store);
        let id = rig.write(&rig.job()).await;
        rig.wake(id);
        rig.wake(id);
        let workers = rig.workers(4);
        rig.until(id, JobState::Done).await;
        // Once more after the end, and another job behind it, so that the push is known to have been looked at.
        rig.wake(id);
        let next = rig.start(&rig.job()).await;
        rig.until(next, JobState::Done).await;
        within("the end of the workers", workers.stop()).await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(rig.get(id).await.attempts, 1);
    }

    async fn a_push_while_the_job_runs_does_no_harm(store: Store) {
        let (started, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let gates = (Arc::clone(&started), Arc::clone(&go_on));
        let rig = Rig::new(store, CALM, move |_| {
            let (started, go_on) = gates.clone();
            async move {
                started.add_permits(1);
                go_on.acquire().await.unwrap().forget();
                Ok(Outcome::Done)
            }
        });
        let workers = rig.workers(4);
        let id = rig.start(&rig.job()).await;
        within("the start", started.acquire()).await.unwrap().forget();
        for _ in 0..10 {
            rig.wake(id);
            rig.sweep().await;
        }
        // A second job runs beside the first and shows that the worker lives on.
        let second = rig.start(&rig.job()).await;
        within("the start of the second", started.acquire()).await.unwrap().forget();
        assert_eq!(started.available_permits(), 0, "the first was not started again");
        go_on.add_permits(2);
        rig.until(id, JobState::Done).await;
        rig.until(second, JobState::Done).await;
        within("the end of the workers", workers.stop()).await;
        assert_eq!(rig.get(id).await.attempts, 1);
    }

    async fn a_job_that_was_never_pushed_is_found_by_the_sweeper(store: Store) {
        let (rig, runs) = counted(store);
        let workers = rig.workers(2);
        let id = rig.write(&rig.job()).await;
        rig.sweep().await;
        rig.until(id, JobState::Done).await;
        rig.sweep().await;
        within("the end of the workers", workers.stop()).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    async fn the_payload_reaches_the_handler(store: Store) {
        let rig = Rig::new(store, CALM, |run: JobAttempt| async move {
            let payload: TestJob = run.payload()?;
            let right = payload.key.as_deref() == Some("the key") && payload.team == run.job.team_id;
            if right { Ok(Outcome::Done) } else { Err(JobError::Fail(format!("{payload:?}"))) }
        });
        let id = rig.write(&TestJob { key: Some("the key".to_owned()), ..rig.job() }).await;
        within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        assert_eq!(rig.get(id).await.last_error, None);
    }

    async fn a_handler_may_record_the_end_itself(store: Store) {
        let writer = store.clone();
        let rig = Rig::new(store, CALM, move |run: JobAttempt| {
            let store = writer.clone();
            async move {
                let mut tx = store.begin().await?;
                tx.installation_insert("follows from", "the job").await?;
                tx.job_finish(run.fence).await?;
                tx.commit().await?;
                Ok(Outcome::Recorded)
            }
        });
        let id = rig.write(&rig.job()).await;
        within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        assert_eq!(rig.get(id).await.state, JobState::Done);
        assert!(rig.store.installation_get("follows from").await.unwrap().is_some());
    }
}
