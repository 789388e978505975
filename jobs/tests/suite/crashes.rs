//! Workers that die or lose their lease.

use std::sync::Arc;
use std::time::Duration;

use domain::job::JobState;
use jobs::{JobAttempt, JobError, LeaseSettings, Outcome};
use store::Store;
use tokio::sync::Semaphore;

use crate::rig::{BRISK, CALM, Rig, within};

// Another worker took the job: any other token will do, and its own id is one.
const PASS_ON: &str = "UPDATE jobs SET lease_token = id";

/// A script that says when it started and waits for ever.
fn endless(store: Store, settings: LeaseSettings) -> (Rig, Arc<Semaphore>) {
    let started = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&started);
    let rig = Rig::new(store, settings, move |run: JobAttempt| {
        let gate = Arc::clone(&gate);
        async move {
            gate.add_permits(1);
            run.stop.cancelled().await;
            Err(JobError::Stopped)
        }
    });
    (rig, started)
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_worker_that_lost_its_lease_is_stopped_and_records_nothing(store: Store, database: &Database) {
        let (rig, started) = endless(store, BRISK);
        let id = rig.write(&rig.job()).await;
        let running = tokio::spawn(Arc::clone(&rig.runner).run("build", id, ()));
        within("the start", started.acquire()).await.unwrap().forget();
        database.execute(PASS_ON).await;
        let passed_on = rig.get(id).await;
        within("the stop", running).await.unwrap();
        assert_eq!(rig.get(id).await, passed_on);
        assert_eq!(passed_on.state, JobState::Running);
    }

    async fn success_after_the_lease_was_lost_does_not_count(store: Store, database: &Database) {
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
        let id = rig.write(&rig.job()).await;
        let running = tokio::spawn(Arc::clone(&rig.runner).run("build", id, ()));
        within("the start", started.acquire()).await.unwrap().forget();
        database.execute(PASS_ON).await;
        let passed_on = rig.get(id).await;
        go_on.add_permits(1);
        within("the end", running).await.unwrap();
        assert_eq!(rig.get(id).await, passed_on);
    }

    async fn a_heartbeat_keeps_the_lease(store: Store) {
        let (rig, started) = endless(store, LeaseSettings { lease: Duration::from_secs(30), heartbeat: Duration::from_millis(5) });
        let id = rig.write(&rig.job()).await;
        let running = tokio::spawn(Arc::clone(&rig.runner).run("build", id, ()));
        within("the start", started.acquire()).await.unwrap().forget();
        let first = rig.get(id).await.lease_until;
        testkit::wait_until(crate::rig::SOON, "a longer lease", async || rig.get(id).await.lease_until > first).await;
        running.abort();
    }

    async fn the_job_of_a_dead_worker_is_done_by_another(store: Store) {
        let lease = LeaseSettings { lease: Duration::ZERO, heartbeat: Duration::from_hours(1) };
        let (died, started) = endless(store.clone(), lease);
        let id = died.write(&died.job()).await;
        let running = tokio::spawn(Arc::clone(&died.runner).run("build", id, ()));
        within("the start", started.acquire()).await.unwrap().forget();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());

        let rig = Rig { team: died.team, ..Rig::new(store, CALM, |_| async { Ok(Outcome::Done) }) };
        let workers = rig.workers(1);
        rig.sweep().await;
        assert_eq!(rig.until(id, JobState::Done).await.attempts, 2);
        within("the end of the workers", workers.stop()).await;
    }

    async fn a_job_whose_worker_dies_each_time_ends_dead(store: Store) {
        let lease = LeaseSettings { lease: Duration::ZERO, heartbeat: Duration::from_hours(1) };
        let (rig, started) = endless(store, lease);
        let id = rig.write(&rig.job()).await;
        for attempt in 1..=3 {
            let running = tokio::spawn(Arc::clone(&rig.runner).run("build", id, ()));
            within("the start", started.acquire()).await.unwrap().forget();
            running.abort();
            assert!(running.await.unwrap_err().is_cancelled());
            assert_eq!(rig.get(id).await.attempts, attempt);
            rig.sweep().await;
        }
        let job = rig.get(id).await;
        assert_eq!((job.state, job.last_error.as_deref()), (JobState::Dead, Some("the worker that ran it died each time")));
    }

    async fn whoever_owns_the_database_takes_everything_back_at_once(store: Store) {
        let (died, started) = endless(store.clone(), CALM);
        let mut ids = Vec::new();
        for _ in 0..3 {
            let id = died.write(&died.job()).await;
            let running = tokio::spawn(Arc::clone(&died.runner).run("build", id, ()));
            within("the start", started.acquire()).await.unwrap().forget();
            running.abort();
            assert!(running.await.unwrap_err().is_cancelled());
            ids.push(id);
        }
        died.sweep().await;
        assert_eq!(died.get(ids[0]).await.state, JobState::Running, "its lease stands for an hour");
        died.sweeper().reclaim_all().await.unwrap();
        for id in ids {
            let job = died.get(id).await;
            assert_eq!((job.state, job.attempts, job.lease_token), (JobState::Pending, 1, None));
        }
    }
}
