//! Handlers that fail, panic, take too long, or are not there.

use std::sync::Arc;
use std::time::Duration;

use domain::job::JobState;
use domain::time::now;
use jobs::payload::job_of;
use jobs::{JobAttempt, JobError, Later, Outcome};
use store::{NewJob, Store};
use testkit::Database;

use crate::rig::{CALM, HastyJob, Rig, within};

/// Makes every job due at once: tests do not wait for the pause before the next attempt.
async fn make_due(database: &Database) {
    database.execute("UPDATE jobs SET run_at = created_at").await;
}

/// Runs a job of a script that always fails to its end, and returns what was noted last.
async fn fails_to_the_end(rig: &Rig, database: &Database) -> Option<String> {
    let workers = rig.workers(2);
    let id = rig.start(&rig.job()).await;
    for attempt in 1..3 {
        let before = now();
        let job = rig.until_retried(id, attempt).await;
        assert!(job.last_error.is_some() && job.lease_token.is_none());
        let pause = job.run_at - before;
        assert!(pause.as_seconds_f64() > 0.0 && pause.as_seconds_f64() < 60.0, "attempt {attempt}: a pause of {pause}");
        make_due(database).await;
        rig.sweep().await;
    }
    let job = rig.until(id, JobState::Dead).await;
    assert_eq!(job.attempts, 3);
    make_due(database).await;
    rig.sweep().await;
    within("the end of the workers", workers.stop()).await;
    assert_eq!(rig.get(id).await.state, JobState::Dead, "dead is dead");
    job.last_error
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_failure_is_tried_again_after_a_pause_and_dead_in_the_end(store: Store, database: &Database) {
        let rig = Rig::new(store, CALM, |run: JobAttempt| async move { Err(JobError::Retry(format!("attempt {}", run.job.attempts))) });
        assert_eq!(fails_to_the_end(&rig, database).await.as_deref(), Some("attempt 3"));
    }

    async fn a_panic_is_a_failure_like_another(store: Store, database: &Database) {
        let rig = Rig::new(store, CALM, |run: JobAttempt| async move {
            assert!(run.job.attempts > 100, "on purpose");
            Ok(Outcome::Done)
        });
        assert_eq!(fails_to_the_end(&rig, database).await.as_deref(), Some("the handler panicked"));
    }

    async fn a_job_may_succeed_after_failures(store: Store, database: &Database) {
        let rig = Rig::new(store, CALM, |run: JobAttempt| async move {
            if run.job.attempts < 3 { Err(JobError::Retry("not yet".to_owned())) } else { Ok(Outcome::Done) }
        });
        let id = rig.write(&rig.job()).await;
        for _ in 0..3 {
            make_due(database).await;
            within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        }
        let job = rig.get(id).await;
        assert_eq!((job.state, job.attempts, job.last_error), (JobState::Done, 3, None));
    }

    async fn a_failure_that_no_retry_helps_is_dead_at_once(store: Store) {
        let rig = Rig::new(store, CALM, |_| async { Err(JobError::Fail("no use".to_owned())) });
        let id = rig.write(&rig.job()).await;
        within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        let job = rig.get(id).await;
        assert_eq!((job.state, job.attempts, job.last_error.as_deref()), (JobState::Dead, 1, Some("no use")));
    }

    async fn a_job_of_a_newer_program_waits_for_a_worker_that_knows_it(store: Store) {
        let rig = Rig::new(store, CALM, |_| async { Ok(Outcome::Done) });
        let id = rig.insert(&[NewJob { kind: "forgotten", ..job_of(&rig.job()) }]).await[0];
        within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        let job = rig.get(id).await;
        assert_eq!((job.state, job.attempts), (JobState::Pending, 0));
        assert!(job.run_at > job.started_at.unwrap());
        let waits_for = job.waits_for.unwrap();
        assert!(waits_for.contains("`forgotten`") && waits_for.contains("older version"), "{waits_for}");
    }

    async fn a_job_that_waits_outside_comes_back_with_all_its_attempts(store: Store, database: &Database) {
        let rig = Rig::new(store, CALM, |run: JobAttempt| async move {
            if run.job.waits_for.is_none() {
                let waits_for = "a revision to answer".to_owned();
                return Ok(Outcome::Later(Later { after: Duration::from_mins(5), holds: true, waits_for }));
            }
            Ok(Outcome::Done)
        });
        let id = rig.write(&rig.job()).await;
        within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        let job = rig.get(id).await;
        assert_eq!((job.state, job.attempts, job.waits_for.as_deref()), (JobState::Pending, 0, Some("a revision to answer")));
        within("a run before its time", Arc::clone(&rig.runner).run("build", id, ())).await;
        assert_eq!(rig.get(id).await.state, JobState::Pending);
        make_due(database).await;
        within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        let job = rig.get(id).await;
        assert_eq!((job.state, job.attempts), (JobState::Done, 1));
    }

    async fn a_payload_that_cannot_be_read_is_dead_at_once(store: Store) {
        let rig = Rig::new(store, CALM, |run: JobAttempt| async move { run.payload::<crate::rig::TestJob>().map(|_| Outcome::Done) });
        let unreadable = NewJob { payload: serde_json::json!({ "version": 99 }), ..job_of(&rig.job()) };
        let id = rig.insert(&[unreadable]).await[0];
        within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        let job = rig.get(id).await;
        assert_eq!(job.state, JobState::Dead);
        assert!(job.last_error.unwrap().starts_with("the payload of a `test` job cannot be read"));
    }

    async fn a_job_that_takes_too_long_is_stopped_and_tried_again(store: Store) {
        let rig = Rig::new(store, CALM, |run: JobAttempt| async move {
            run.stop.cancelled().await;
            Err(JobError::Stopped)
        });
        let id = rig.write(&HastyJob(rig.job())).await;
        within("the run", Arc::clone(&rig.runner).run("build", id, ())).await;
        let job = rig.get(id).await;
        assert_eq!((job.state, job.attempts, job.lease_token), (JobState::Pending, 1, None));
        assert!(job.last_error.unwrap().contains("took longer"));
    }
}
