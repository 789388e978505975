//! Many jobs in one statement, where the database gains from it.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::id::{JobId, TeamId};
use domain::job::{Fence, JobState};
use domain::time::now;
use store::{NewJob, Store};
use uuid::Uuid;

use crate::fixture::{self, write};

async fn add(store: &Store, job: NewJob) -> Fence {
    write(store, async |tx| tx.job_insert(&job).await).await;
    Fence { job_id: job.id, token: Uuid::new_v4() }
}

fn ids<'a>(fences: impl IntoIterator<Item = &'a Fence>) -> BTreeSet<JobId> {
    fences.into_iter().map(|fence| fence.job_id).collect()
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_batch_takes_what_is_free_and_ends_what_it_holds(store: Store) {
        let Some(batches) = store.job_batches() else { return };
        let team = TeamId::new();
        let free = [add(&store, fixture::job(team)).await, add(&store, fixture::job(team)).await];
        let excluding = add(&store, NewJob { exclusion_key: Some("one".to_owned()), ..fixture::job(team) }).await;
        let later = add(&store, NewJob { run_at: now() + TimeDelta::hours(1), ..fixture::job(team) }).await;
        let paused = add(&store, NewJob { queue: "paused", ..fixture::job(team) }).await;
        write(&store, async |tx| tx.queue_put("paused", &domain::job::QueueSettings { paused_at: Some(now()), ..Default::default() }).await).await;
        let unknown = Fence { job_id: JobId::new(), token: Uuid::new_v4() };
        let wanted = [free[0], excluding, later, paused, unknown, free[1]];
        let until = now() + TimeDelta::minutes(1);
        let claimed = batches.claim(&wanted, until, "test:1").await.unwrap();
        assert_eq!(claimed.iter().map(|job| job.id).collect::<BTreeSet<_>>(), ids(&free));
        for job in &claimed {
            let fence = free.iter().find(|fence| fence.job_id == job.id).unwrap();
            assert_eq!((job.state, job.attempts, job.lease_token, job.lease_until), (JobState::Running, 1, Some(fence.token), Some(until)));
        }
        assert!(batches.claim(&wanted, until, "test:2").await.unwrap().is_empty(), "nobody takes them twice");

        let stale = Fence { token: Uuid::new_v4(), ..free[1] };
        let done = batches.finish(&[free[0], stale, excluding, unknown]).await.unwrap();
        assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), ids([&free[0]]));
        let state = async |fence: Fence| store.job_get(team, fence.job_id).await.unwrap().unwrap().state;
        assert_eq!(state(free[0]).await, JobState::Done);
        assert_eq!(state(free[1]).await, JobState::Running);
        assert!(batches.finish(&free[..1]).await.unwrap().is_empty(), "a job ends once");
    }

    async fn batches_at_once_share_the_jobs(store: Store) {
        let Some(batches) = store.job_batches() else { return };
        let team = TeamId::new();
        let mut jobs = Vec::new();
        for _ in 0..100 {
            jobs.push(add(&store, fixture::job(team)).await.job_id);
        }
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let batches = batches.clone();
                let mut wanted: Vec<_> = jobs.iter().map(|id| Fence { job_id: *id, token: Uuid::new_v4() }).collect();
                wanted.rotate_left(number * 13);
                tokio::spawn(async move { batches.claim(&wanted, now() + TimeDelta::minutes(1), "test").await.unwrap() })
            })
            .collect();
        let mut claimed = Vec::new();
        for task in tasks {
            claimed.extend(task.await.unwrap().into_iter().map(|job| Fence { job_id: job.id, token: job.lease_token.unwrap() }));
        }
        assert_eq!(claimed.len(), 100, "each is taken once");
        assert_eq!(batches.finish(&claimed).await.unwrap().len(), 100);
    }
}
