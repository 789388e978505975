//! Jobs that wait: what is due, who takes it, what is cancelled.

use chrono::{DateTime, TimeDelta};
use domain::id::{JobId, TeamId};
use domain::job::{Fence, Job, JobState, QueueSettings};
use domain::time::{Timestamp, now};
use serde_json::json;
use store::{JobClaim, Lock, NewJob, Store, StoreError, Suspended};
use uuid::Uuid;

use testkit::Database;

use crate::common::open;
use crate::fixture::{self, refused, write};

async fn add(store: &Store, job: NewJob) -> NewJob {
    write(store, async |tx| tx.job_insert(&job).await).await;
    job
}

async fn claim(store: &Store, id: JobId) -> Option<Job> {
    store.job_claim(id, &claim_until(Uuid::new_v4(), soon())).await.unwrap()
}

fn claim_until(token: Uuid, lease_until: Timestamp) -> JobClaim<'static> {
    JobClaim { token, lease_until, worker: "test:1", is_limited: false }
}

async fn due(store: &Store, at: Timestamp, limit: i64) -> Vec<JobId> {
    store.job_list_due("tests", at, limit).await.unwrap().into_iter().map(|job| job.id).collect()
}

fn soon() -> Timestamp {
    now() + TimeDelta::seconds(30)
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_job_is_read_back_as_written(store: Store) {
        let payload = json!({ "version": 1, "text": "it's \"quoted\" \u{1f600}", "list": [1, 2.5, null, true], "deep": { "a": {} } });
        let subject_id = Some(Uuid::now_v7());
        let job = NewJob { payload, subject_id, exclusion_key: Some("key".to_owned()), ..fixture::job(TeamId::new()) };
        let job = add(&store, job).await;
        let kept = store.job_get(job.team_id, job.id).await.unwrap().unwrap();
        assert_eq!((kept.id, kept.team_id, kept.kind.as_str(), kept.queue.as_str()), (job.id, job.team_id, job.kind, job.queue));
        assert_eq!((kept.payload, kept.priority, kept.exclusion_key), (job.payload.clone(), job.priority, job.exclusion_key.clone()));
        assert_eq!((kept.run_at, kept.attempts, kept.max_attempts), (job.run_at, 0, job.max_attempts));
        assert_eq!((kept.state, kept.lease_token, kept.lease_until, kept.last_error), (JobState::Pending, None, None, None));
        assert_eq!(store.job_get(job.team_id, JobId::new()).await.unwrap(), None);
        let error = refused(&store, async |tx| tx.job_insert(&job).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
    }

    async fn times_are_kept_and_ordered_to_the_microsecond(store: Store) {
        let base = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        // As text these have 0, 3 or 6 digits of a second; in order they are all the same.
        let micros = [0, 1, 10, 999, 1000, 1001, 100_000, 120_000, 123_000, 123_456, 500_000, 999_999, 1_000_000, 1_000_001];
        let mut expected = Vec::new();
        for micros in micros {
            expected.push((micros, add(&store, NewJob { run_at: base + TimeDelta::microseconds(micros), ..fixture::job(TeamId::new()) }).await));
        }
        for (micros, job) in &expected {
            assert_eq!(store.job_get(job.team_id, job.id).await.unwrap().unwrap().run_at, job.run_at);
            let found = due(&store, job.run_at, 100).await;
            let until_then: Vec<_> = expected.iter().filter(|(other, _)| other <= micros).map(|(_, job)| job.id).collect();
            assert_eq!(found, until_then, "after {micros} microseconds");
        }
    }

    async fn a_claim_takes_a_job_with_a_lease(store: Store) {
        let job = add(&store, fixture::job(TeamId::new())).await;
        let (token, until) = (Uuid::new_v4(), soon());
        let claimed = store.job_claim(job.id, &claim_until(token, until)).await.unwrap().unwrap();
        assert_eq!((claimed.state, claimed.attempts, claimed.lease_token, claimed.lease_until), (JobState::Running, 1, Some(token), Some(until)));
        assert_eq!(store.job_get(job.team_id, job.id).await.unwrap(), Some(claimed));
        assert_eq!(claim(&store, job.id).await, None);
        assert_eq!(claim(&store, JobId::new()).await, None);
    }

    async fn twenty_claims_at_once_give_one_job(store: Store, database: &Database) {
        let other = open(database).await;
        let job = add(&store, fixture::job(TeamId::new())).await;
        let claims: Vec<_> = (0..20)
            .map(|number| {
                let store = if number % 2 == 0 { &store } else { &other }.clone();
                tokio::spawn(async move { claim(&store, job.id).await })
            })
            .collect();
        let mut claimed = Vec::new();
        for claim in claims {
            claimed.extend(claim.await.unwrap());
        }
        assert_eq!(claimed.len(), 1);
        assert_eq!(store.job_get(job.team_id, job.id).await.unwrap().as_ref(), claimed.first());
        assert_eq!(claimed[0].attempts, 1);
    }

    async fn a_job_is_not_claimed_before_its_time(store: Store) {
        let job = add(&store, NewJob { run_at: now() + TimeDelta::hours(1), ..fixture::job(TeamId::new()) }).await;
        assert_eq!(claim(&store, job.id).await, None);
        assert_eq!(due(&store, now(), 10).await, []);
        assert_eq!(due(&store, job.run_at, 10).await, [job.id]);
    }

    async fn the_most_urgent_is_due_first(store: Store) {
        let at = now();
        let job = |priority, seconds| NewJob { priority, run_at: at - TimeDelta::seconds(seconds), ..fixture::job(TeamId::new()) };
        let late = add(&store, job(100, 1)).await.id;
        let early = add(&store, job(100, 9)).await.id;
        let urgent = add(&store, job(1, 1)).await.id;
        add(&store, NewJob { queue: "another", ..job(1, 1) }).await;
        assert_eq!(due(&store, at, 10).await, [urgent, early, late]);
        assert_eq!(due(&store, at, 2).await, [urgent, early]);
        claim(&store, urgent).await.unwrap();
        assert_eq!(due(&store, at, 10).await, [early, late]);
    }

    async fn those_before_a_waiting_job_are_counted_over_all_teams(store: Store) {
        let at = now();
        let job = |seconds| NewJob { run_at: at - TimeDelta::seconds(seconds), ..fixture::job(TeamId::new()) };
        let running = add(&store, job(1)).await;
        claim(&store, running.id).await.unwrap();
        add(&store, job(20)).await;
        add(&store, NewJob { kind: "other", ..job(30) }).await;
        let own = add(&store, NewJob { subject_id: Some(Uuid::now_v7()), ..job(10) }).await;
        add(&store, job(5)).await;
        let subject = own.subject_id.unwrap();
        let before = async |team| store.job_count_before(team, subject, "test").await.unwrap();
        assert_eq!(before(own.team_id).await, Some(2));
        assert_eq!(before(TeamId::new()).await, None);
        claim(&store, own.id).await.unwrap();
        assert_eq!(before(own.team_id).await, None);
    }

    async fn jobs_with_one_exclusion_key_run_one_after_another(store: Store) {
        let job = || NewJob { exclusion_key: Some("release:1".to_owned()), ..fixture::job(TeamId::new()) };
        let (first, second) = (add(&store, job()).await, add(&store, job()).await);
        let other = add(&store, NewJob { exclusion_key: Some("release:2".to_owned()), ..job() }).await;
        let running = claim(&store, first.id).await.unwrap();
        assert_eq!(claim(&store, second.id).await, None);
        assert_eq!(store.job_get(second.team_id, second.id).await.unwrap().unwrap().attempts, 0, "no attempt is used up");
        assert_eq!(due(&store, now(), 10).await, [other.id]);
        assert!(claim(&store, other.id).await.is_some());
        let fence = domain::job::Fence { job_id: first.id, token: running.lease_token.unwrap() };
        write(&store, async |tx| tx.job_finish(fence).await).await;
        assert_eq!(due(&store, now(), 10).await, [second.id]);
        assert!(claim(&store, second.id).await.is_some());
    }

    async fn a_job_that_comes_back_later_keeps_its_key_and_its_attempts(store: Store) {
        let job = |key: &str| NewJob { exclusion_key: Some(key.to_owned()), ..fixture::job(TeamId::new()) };
        let (first, second) = (add(&store, job("release:1")).await, add(&store, job("release:1")).await);
        let later = |holds| Suspended { until: now() + TimeDelta::seconds(5), holds, waits_for: "a revision".to_owned() };
        let suspend = async |id: JobId, suspended: &Suspended| {
            let token = Uuid::new_v4();
            store.job_claim(id, &claim_until(token, soon())).await.unwrap().unwrap();
            write(&store, async |tx| tx.job_suspend(Fence { job_id: id, token }, suspended).await).await;
        };
        suspend(first.id, &later(true)).await;
        let kept = store.job_get(first.team_id, first.id).await.unwrap().unwrap();
        assert_eq!((kept.state, kept.attempts, kept.waits_for.as_deref()), (JobState::Pending, 0, Some("a revision")));
        let after = now() + TimeDelta::seconds(6);
        assert_eq!(due(&store, after, 10).await, [first.id], "the other waits for it");
        assert_eq!(store.job_next_excluded("release:1", after).await.unwrap().map(|job| job.id), Some(first.id));
        assert!(claim(&store, second.id).await.is_none());
        // Once it is called off, the key is free.
        assert!(write(&store, async |tx| tx.job_discard(first.team_id, first.id).await).await);
        suspend(second.id, &later(false)).await;
        let third = add(&store, job("release:1")).await;
        assert!(claim(&store, third.id).await.is_some(), "one that does not hold the key lets others pass");
    }

    async fn of_jobs_with_one_exclusion_key_claimed_at_once_one_runs(store: Store) {
        let mut claims = Vec::new();
        for _ in 0..10 {
            let job = add(&store, NewJob { exclusion_key: Some("release:1".to_owned()), ..fixture::job(TeamId::new()) }).await;
            claims.push((store.clone(), job.id));
        }
        let claims: Vec<_> = claims
            .into_iter()
            .map(|(store, id)| tokio::spawn(async move { claim(&store, id).await }))
            .collect();
        let mut claimed = 0;
        for claim in claims {
            claimed += usize::from(claim.await.unwrap().is_some());
        }
        assert_eq!(claimed, 1);
    }

    async fn what_waits_or_runs_for_a_subject_is_called_off(store: Store) {
        let (team, subject) = (TeamId::new(), Uuid::now_v7());
        let of_subject = || NewJob { subject_id: Some(subject), ..fixture::job(team) };
        let (waiting, running, done) = (add(&store, of_subject()).await, add(&store, of_subject()).await, add(&store, of_subject()).await);
        let other = add(&store, NewJob { subject_id: Some(Uuid::now_v7()), ..fixture::job(team) }).await;
        let lease = claim(&store, running.id).await.unwrap().lease_token.unwrap();
        let finished = claim(&store, done.id).await.unwrap().lease_token.unwrap();
        write(&store, async |tx| tx.job_finish(domain::job::Fence { job_id: done.id, token: finished }).await).await;

        let mut off = write(&store, async |tx| tx.job_cancel_subject(team, subject).await).await;
        off.sort_unstable();
        assert_eq!(off, [waiting.id, running.id]);
        for (job, state) in [(&waiting, JobState::Cancelled), (&running, JobState::Cancelled), (&done, JobState::Done), (&other, JobState::Pending)] {
            assert_eq!(store.job_get(team, job.id).await.unwrap().unwrap().state, state);
        }
        assert_eq!(claim(&store, waiting.id).await, None);
        let fence = domain::job::Fence { job_id: running.id, token: lease };
        assert!(!store.job_extend(fence, soon()).await.unwrap());
        assert!(matches!(refused(&store, async |tx| tx.job_finish(fence).await).await, StoreError::LeaseLost));
        assert_eq!(write(&store, async |tx| tx.job_cancel_subject(team, subject).await).await, []);
    }

    async fn states_are_counted_per_queue(store: Store) {
        let running = add(&store, fixture::job(TeamId::new())).await;
        add(&store, fixture::job(TeamId::new())).await;
        add(&store, NewJob { queue: "another", ..fixture::job(TeamId::new()) }).await;
        claim(&store, running.id).await.unwrap();
        let mut counts: Vec<_> = store.job_state_counts().await.unwrap().into_iter().map(|(queue, state, count)| (queue, format!("{state:?}"), count)).collect();
        counts.sort();
        let expected = [("another", "Pending", 1), ("tests", "Pending", 1), ("tests", "Running", 1)];
        assert_eq!(counts, expected.map(|(queue, state, count)| (queue.to_owned(), state.to_owned(), count)));
    }

    async fn teams_take_turns(store: Store) {
        let (many, one) = (TeamId::new(), TeamId::new());
        let mut crowd = Vec::new();
        for _ in 0..5 {
            crowd.push(add(&store, fixture::job(many)).await.id);
        }
        let single = add(&store, fixture::job(one)).await.id;
        assert_eq!(due(&store, now(), 3).await, [crowd[0], single, crowd[1]]);
    }

    async fn a_paused_queue_gives_nothing(store: Store) {
        let job = add(&store, fixture::job(TeamId::new())).await;
        let paused = QueueSettings { paused_at: Some(now()), ..QueueSettings::default() };
        write(&store, async |tx| tx.queue_put("tests", &paused).await).await;
        assert_eq!(store.queue_get("tests").await.unwrap(), paused);
        assert_eq!((claim(&store, job.id).await, due(&store, now(), 10).await), (None, Vec::new()));
        write(&store, async |tx| tx.queue_put("tests", &QueueSettings::default()).await).await;
        assert_eq!(due(&store, now(), 10).await, [job.id]);
        assert!(claim(&store, job.id).await.is_some());
    }

    async fn claims_at_once_do_not_pass_the_limits_of_a_queue(store: Store) {
        let limits = QueueSettings { concurrency: Some(3), team_concurrency: Some(2), ..QueueSettings::default() };
        write(&store, async |tx| tx.queue_put("tests", &limits).await).await;
        let teams = [TeamId::new(), TeamId::new()];
        let mut claims = Vec::new();
        for number in 0..20 {
            let (store, id) = (store.clone(), add(&store, fixture::job(teams[number % 2])).await.id);
            let claiming = async move { store.job_claim(id, &JobClaim { is_limited: true, ..claim_until(Uuid::new_v4(), soon()) }).await.unwrap() };
            claims.push(tokio::spawn(claiming));
        }
        let mut running = Vec::new();
        for claim in claims {
            running.extend(claim.await.unwrap().map(|job| job.team_id));
        }
        assert_eq!(running.len(), 3);
        assert!(teams.iter().all(|team| running.iter().filter(|other| *other == team).count() <= 2));
    }

    async fn of_jobs_with_one_deduplication_key_one_waits_or_runs(store: Store) {
        let job = || NewJob { deduplication_key: Some("sweep:1".to_owned()), ..fixture::job(TeamId::new()) };
        let first = job();
        assert!(write(&store, async |tx| tx.job_insert(&first).await).await);
        assert!(!write(&store, async |tx| tx.job_insert(&job()).await).await);
        let token = claim(&store, first.id).await.unwrap().lease_token.unwrap();
        assert!(!write(&store, async |tx| tx.job_insert(&job()).await).await);
        let fence = domain::job::Fence { job_id: first.id, token };
        write(&store, async |tx| tx.job_finish(fence).await).await;
        assert!(write(&store, async |tx| tx.job_insert(&job()).await).await);
    }

    async fn one_transaction_at_a_time_has_a_lock(store: Store, database: &Database) {
        let other = open(database).await;
        let mut first = store.begin().await.unwrap();
        assert!(first.try_lock(Lock::Sweep).await.unwrap());
        if matches!(database, Database::Postgres(_)) {
            let mut second = other.begin().await.unwrap();
            assert!(!second.try_lock(Lock::Sweep).await.unwrap());
            assert!(second.try_lock(Lock::FirstStart).await.unwrap());
        }
        first.commit().await.unwrap();
        assert!(other.begin().await.unwrap().try_lock(Lock::Sweep).await.unwrap());
    }
}
