//! Jobs that run: leases, fences and how a job ends.

use chrono::TimeDelta;
use domain::id::{JobId, TeamId};
use domain::job::{Fence, Job, JobState};
use domain::time::now;
use store::{Failed, JobClaim, NewJob, Store, StoreError};
use uuid::Uuid;

use crate::fixture::{self, refused, write};

struct Running {
    team: TeamId,
    fence: Fence,
}

/// A job that somebody runs.
async fn running(store: &Store, job: NewJob) -> Running {
    write(store, async |tx| tx.job_insert(&job).await).await;
    Running { team: job.team_id, fence: take(store, job.id).await.unwrap() }
}

async fn take(store: &Store, job_id: JobId) -> Option<Fence> {
    let token = Uuid::new_v4();
    let claim = JobClaim { token, lease_until: now() + TimeDelta::seconds(30), worker: "test:1", is_limited: false };
    let job = store.job_claim(job_id, &claim).await.unwrap();
    job.map(|_| Fence { job_id, token })
}

impl Running {
    async fn job(&self, store: &Store) -> Job {
        store.job_get(self.team, self.fence.job_id).await.unwrap().unwrap()
    }

    /// Its lease runs out and another worker takes it.
    async fn pass_on(&self, store: &Store) -> Fence {
        let far = now() + TimeDelta::days(1);
        assert_eq!(write(store, async |tx| tx.job_reclaim(far).await).await, [self.fence.job_id]);
        take(store, self.fence.job_id).await.unwrap()
    }
}

fn failed(retry_at: Option<domain::time::Timestamp>) -> Failed {
    Failed { error: "it broke".to_owned(), retry_at }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_lease_is_extended_while_it_stands(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        let until = now() + TimeDelta::minutes(5);
        assert!(store.job_extend(run.fence, until).await.unwrap());
        assert_eq!(run.job(&store).await.lease_until, Some(until));
        let another = Fence { token: Uuid::new_v4(), ..run.fence };
        assert!(!store.job_extend(another, until).await.unwrap());
    }

    async fn every_write_is_refused_once_the_lease_is_anothers(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        let new = run.pass_on(&store).await;
        let before = run.job(&store).await;
        let old = run.fence;
        assert!(!store.job_extend(old, now()).await.unwrap());
        let retry = failed(Some(now()));
        let errors = [
            refused(&store, async |tx| tx.job_fence(old).await).await,
            refused(&store, async |tx| tx.job_finish(old).await).await,
            refused(&store, async |tx| tx.job_fail(old, &retry).await).await,
            refused(&store, async |tx| tx.job_fail(old, &failed(None)).await).await,
            refused(&store, async |tx| tx.job_hand_back(old).await).await,
        ];
        assert!(errors.iter().all(|error| matches!(error, StoreError::LeaseLost)), "{errors:?}");
        assert_eq!(run.job(&store).await, before);
        write(&store, async |tx| {
            tx.job_fence(new).await?;
            tx.job_finish(new).await
        })
        .await;
        assert_eq!(run.job(&store).await.state, JobState::Done);
    }

    async fn what_is_written_behind_a_fence_goes_with_it(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        run.pass_on(&store).await;
        let team = fixture::team();
        let error = refused(&store, async |tx| {
            tx.team_insert(&team).await?;
            tx.job_fence(run.fence).await
        })
        .await;
        assert!(matches!(error, StoreError::LeaseLost), "{error:?}");
        assert_eq!(store.team_get(team.id).await.unwrap(), None);
    }

    async fn a_lease_does_not_pass_on_while_its_holder_writes(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        let mut tx = store.begin().await.unwrap();
        tx.job_fence(run.fence).await.unwrap();
        let reclaiming = {
            let store = store.clone();
            tokio::spawn(async move {
                write(&store, async |tx| tx.job_reclaim(now() + TimeDelta::days(1)).await).await
            })
        };
        tx.job_finish(run.fence).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(reclaiming.await.unwrap(), [], "the job was done before its lease could be taken back");
        assert_eq!(run.job(&store).await.state, JobState::Done);
    }

    async fn a_job_that_is_done_holds_no_lease(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        write(&store, async |tx| tx.job_finish(run.fence).await).await;
        let job = run.job(&store).await;
        assert_eq!((job.state, job.lease_token, job.lease_until, job.last_error), (JobState::Done, None, None, None));
        assert!(matches!(refused(&store, async |tx| tx.job_finish(run.fence).await).await, StoreError::LeaseLost));
        assert_eq!(take(&store, run.fence.job_id).await, None);
    }

    async fn a_failure_is_tried_again_at_its_time(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        let retry_at = now() + TimeDelta::hours(1);
        write(&store, async |tx| tx.job_fail(run.fence, &failed(Some(retry_at))).await).await;
        let job = run.job(&store).await;
        assert_eq!((job.state, job.run_at, job.attempts, job.lease_token), (JobState::Pending, retry_at, 1, None));
        assert_eq!(job.last_error.as_deref(), Some("it broke"));
        assert_eq!(take(&store, run.fence.job_id).await, None);
    }

    async fn a_failure_without_another_try_is_dead(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        let run_at = run.job(&store).await.run_at;
        write(&store, async |tx| tx.job_fail(run.fence, &failed(None)).await).await;
        let job = run.job(&store).await;
        assert_eq!((job.state, job.run_at, job.lease_token), (JobState::Dead, run_at, None));
        assert_eq!(take(&store, run.fence.job_id).await, None);
    }

    async fn a_job_handed_back_has_used_no_attempt(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        write(&store, async |tx| tx.job_hand_back(run.fence).await).await;
        let job = run.job(&store).await;
        assert_eq!((job.state, job.attempts, job.lease_token, job.lease_until), (JobState::Pending, 0, None, None));
        assert!(take(&store, run.fence.job_id).await.is_some());
    }

    async fn only_leases_that_ran_out_are_taken_back(store: Store) {
        let run = running(&store, fixture::job(TeamId::new())).await;
        let until = run.job(&store).await.lease_until.unwrap();
        assert_eq!(write(&store, async |tx| tx.job_reclaim(until).await).await, []);
        let after = until + TimeDelta::microseconds(1);
        assert_eq!(write(&store, async |tx| tx.job_reclaim(after).await).await, [run.fence.job_id]);
        let job = run.job(&store).await;
        assert_eq!((job.state, job.attempts, job.lease_token), (JobState::Pending, 1, None));
    }

    async fn a_job_whose_workers_die_each_time_is_dead_in_the_end(store: Store) {
        let run = running(&store, NewJob { max_attempts: 2, ..fixture::job(TeamId::new()) }).await;
        run.pass_on(&store).await;
        assert_eq!(write(&store, async |tx| tx.job_reclaim(now() + TimeDelta::days(1)).await).await, []);
        let job = run.job(&store).await;
        assert_eq!((job.state, job.attempts), (JobState::Dead, 2));
        assert_eq!(job.last_error.as_deref(), Some("the worker that ran it died each time"));
        assert_eq!(take(&store, run.fence.job_id).await, None);
    }

    async fn ended_jobs_are_purged_and_dead_ones_kept(store: Store) {
        let subject = Uuid::now_v7();
        let team = TeamId::new();
        let done = running(&store, fixture::job(team)).await;
        let dead = running(&store, fixture::job(team)).await;
        let waiting = running(&store, fixture::job(team)).await;
        let cancelled = running(&store, NewJob { subject_id: Some(subject), ..fixture::job(team) }).await;
        write(&store, async |tx| {
            tx.job_finish(done.fence).await?;
            tx.job_fail(dead.fence, &failed(None)).await?;
            tx.job_hand_back(waiting.fence).await?;
            tx.job_cancel_subject(team, subject).await.map(drop)
        })
        .await;
        write(&store, async |tx| tx.job_purge(now() - TimeDelta::hours(1)).await).await;
        assert!(store.job_get(team, done.fence.job_id).await.unwrap().is_some(), "it ended only just now");
        write(&store, async |tx| tx.job_purge(now() + TimeDelta::hours(1)).await).await;
        for (run, kept) in [(&done, false), (&cancelled, false), (&dead, true), (&waiting, true)] {
            assert_eq!(store.job_get(team, run.fence.job_id).await.unwrap().is_some(), kept);
        }
    }
}
