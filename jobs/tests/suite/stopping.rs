//! Jobs that are cancelled, and the end of the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::job::JobState;
use jobs::{JobAttempt, JobError, Outcome, Topic};
use store::Store;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::rig::{CALM, Rig, TestJob, within};

/// A script that says when it started and goes on until it is told to stop or allowed to finish.
fn gated(store: Store) -> (Rig, Arc<Semaphore>, Arc<Semaphore>) {
    let (started, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gates = (Arc::clone(&started), Arc::clone(&go_on));
    let rig = Rig::new(store, CALM, move |run: JobAttempt| {
        let (started, go_on) = gates.clone();
        async move {
            started.add_permits(1);
            tokio::select! {
                () = run.stop.cancelled() => Err(JobError::Stopped),
                permit = go_on.acquire() => {
                    permit.unwrap().forget();
                    Ok(Outcome::Done)
                }
            }
        }
    });
    (rig, started, go_on)
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_job_that_is_called_off_stops_without_waiting_for_a_heartbeat(store: Store) {
        let (rig, started, _go_on) = gated(store);
        let subject = Uuid::now_v7();
        let id = rig.write(&TestJob { subject: Some(subject), ..rig.job() }).await;
        let running = tokio::spawn(Arc::clone(&rig.runner).run("build", id, ()));
        within("the start", started.acquire()).await.unwrap().forget();
        let mut tx = rig.store.begin().await.unwrap();
        assert_eq!(tx.job_cancel_subject(rig.team, subject).await.unwrap(), [id]);
        tx.commit().await.unwrap();
        rig.bus.publish(Topic::Job(id));
        within("the stop", running).await.unwrap();
        assert_eq!(rig.get(id).await.state, JobState::Cancelled);
    }

    async fn a_hint_without_a_reason_stops_nothing(store: Store) {
        let (rig, started, go_on) = gated(store);
        let id = rig.write(&rig.job()).await;
        let running = tokio::spawn(Arc::clone(&rig.runner).run("build", id, ()));
        within("the start", started.acquire()).await.unwrap().forget();
        let first = rig.get(id).await.lease_until;
        rig.bus.publish(Topic::Job(id));
        testkit::wait_until(crate::rig::SOON, "a look at the lease", async || rig.get(id).await.lease_until > first).await;
        go_on.add_permits(1);
        within("the end", running).await.unwrap();
        assert_eq!(rig.get(id).await.state, JobState::Done);
    }

    async fn a_shutdown_hands_back_without_using_an_attempt(store: Store) {
        let (rig, started, _go_on) = gated(store);
        let workers = rig.workers(4);
        let ids = [rig.start(&rig.job()).await, rig.start(&rig.job()).await];
        within("the start", started.acquire_many(2)).await.unwrap().forget();
        // First the queue is closed, or what is handed back would be taken again.
        rig.wakeups.close();
        rig.shutdown.cancel();
        within("the end of the workers", workers.stop()).await;
        for id in ids {
            let job = rig.get(id).await;
            assert_eq!((job.state, job.attempts, job.lease_token, job.last_error), (JobState::Pending, 0, None, None));
        }
    }

    async fn a_graceful_end_lets_what_runs_finish_and_takes_nothing_new(store: Store) {
        let (rig, started, go_on) = gated(store);
        let workers = rig.workers(1);
        let running = rig.start(&rig.job()).await;
        within("the start", started.acquire()).await.unwrap().forget();
        let waiting = rig.start(&rig.job()).await;
        rig.wakeups.close();
        let stopping = tokio::spawn(workers.stop());
        let late = rig.start(&rig.job()).await;
        assert!(!stopping.is_finished());
        assert_eq!(rig.get(running).await.state, JobState::Running);
        go_on.add_permits(100);
        within("the end of the workers", stopping).await.unwrap();
        assert_eq!(rig.get(running).await.state, JobState::Done);
        assert_eq!(rig.get(late).await.state, JobState::Pending);
        // What was taken from the queue before the end may have been run; what was not is there for the next process.
        assert!(matches!(rig.get(waiting).await.state, JobState::Pending | JobState::Done));
    }

    async fn idle_workers_end_at_once(store: Store) {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        let rig = Rig::new(store, CALM, move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            async { Ok(Outcome::Done) }
        });
        within("the end of workers that never ran anything", rig.workers(4).stop()).await;

        let again = Rig { wakeups: jobs::Wakeups::new(&["build"]), ..rig };
        let workers = again.workers(4);
        let id = again.start(&again.job()).await;
        again.until(id, JobState::Done).await;
        within("the end of workers that ran something", workers.stop()).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }
}
