//! Schedules, their ledger, alerts, and the operations on jobs.

use chrono::TimeDelta;
use domain::job::JobState;
use domain::schedule::RunState;
use domain::time::now;
use store::{JobFilter, Store};

use crate::fixture::{self, Tenant, write};

testkit::on_both_databases! {
    crate::common::open;

    async fn a_schedule_is_read_back_and_moves_on_once(store: Store) {
        let tenant = Tenant::new(&store).await;
        let schedule = fixture::schedule(&tenant.project);
        write(&store, async |tx| tx.schedule_insert(&schedule).await).await;
        assert_eq!(store.schedule_get(tenant.id(), schedule.id).await.unwrap().as_ref(), Some(&schedule));
        assert_eq!(store.schedule_list_due(now(), 10).await.unwrap(), std::slice::from_ref(&schedule));
        let next = Some(now() + TimeDelta::days(1));
        assert!(write(&store, async |tx| tx.schedule_advance(&schedule, next).await).await);
        assert!(!write(&store, async |tx| tx.schedule_advance(&schedule, next).await).await, "somebody else did");
        assert_eq!(store.schedule_list_due(now(), 10).await.unwrap(), []);
        write(&store, async |tx| tx.schedule_enable(tenant.id(), schedule.id, false, None).await).await;
        assert!(!store.schedule_get(tenant.id(), schedule.id).await.unwrap().unwrap().enabled);
    }

    async fn a_time_is_in_the_ledger_once_and_late_until_it_ends(store: Store) {
        let tenant = Tenant::new(&store).await;
        let schedule = fixture::schedule(&tenant.project);
        let run = fixture::run(&schedule);
        write(&store, async |tx| tx.schedule_insert(&schedule).await).await;
        assert!(write(&store, async |tx| tx.run_expect(&run).await).await);
        assert!(!write(&store, async |tx| tx.run_expect(&run).await).await);
        let later = now() + TimeDelta::hours(1);
        assert_eq!(store.schedule_run_list_late(later).await.unwrap(), std::slice::from_ref(&run));
        assert!(write(&store, async |tx| tx.schedule_run_begin(schedule.id, run.due_at, later).await).await);
        assert_eq!(store.schedule_run_list_late(later).await.unwrap(), []);
        write(&store, async |tx| tx.schedule_run_end(schedule.id, run.due_at, RunState::Done, "went well").await).await;
        assert!(!write(&store, async |tx| tx.schedule_run_begin(schedule.id, run.due_at, later).await).await, "it has ended");
        let runs = store.schedule_run_list(tenant.id(), schedule.id, None, 10).await.unwrap();
        assert_eq!((runs.items[0].state, runs.items[0].outcome.as_deref()), (RunState::Done, Some("went well")));
        assert_eq!(store.schedule_run_list(tenant.id(), schedule.id, Some(run.due_at), 10).await.unwrap().items, []);
        write(&store, async |tx| tx.schedule_run_purge(later).await).await;
        assert_eq!(store.schedule_run_list(tenant.id(), schedule.id, None, 10).await.unwrap().items, []);
    }

    async fn an_alert_that_lasts_is_not_raised_again(store: Store) {
        let tenant = Tenant::new(&store).await;
        let alert = || fixture::alert(tenant.id());
        assert!(write(&store, async |tx| tx.alert_raise(&alert()).await).await);
        assert!(!write(&store, async |tx| tx.alert_raise(&alert()).await).await);
        assert_eq!(store.alert_open_counts().await.unwrap(), [("run_missed".to_owned(), 1)]);
        write(&store, async |tx| tx.alert_resolve("run_missed", &tenant.id().to_string()).await).await;
        assert!(write(&store, async |tx| tx.alert_raise(&alert()).await).await);
        let page = store.alert_list(tenant.id(), false, None, 1).await.unwrap();
        assert!(page.has_more && page.items[0].resolved_at.is_none());
        let rest = store.alert_list(tenant.id(), true, Some(page.items[0].id), 10).await.unwrap();
        assert!(rest.items.len() == 1 && rest.items[0].resolved_at.is_some());
        write(&store, async |tx| tx.alert_purge(now() + TimeDelta::hours(1)).await).await;
        assert_eq!(store.alert_list(tenant.id(), false, None, 10).await.unwrap().items.len(), 1);
    }

    async fn dead_jobs_are_listed_with_their_failures_tried_again_and_discarded(store: Store) {
        let team = Tenant::new(&store).await.id();
        let job = fixture::job(team);
        write(&store, async |tx| tx.job_insert(&job).await).await;
        fixture::fail(&store, job.id).await;
        let dead = JobFilter { state: Some(JobState::Dead), queue: Some("tests".to_owned()) };
        assert_eq!(store.job_list(team, &dead, None, 10).await.unwrap().items[0].id, job.id);
        assert_eq!(store.queue_stats(now()).await.unwrap()[0].dead, 1);
        let failures = store.job_failure_list(team, job.id).await.unwrap();
        assert_eq!((failures[0].attempt, failures[0].error.as_str(), failures[0].worker.as_deref()), (1, "it broke", Some("test:1")));
        assert!(write(&store, async |tx| tx.job_retry(team, job.id, now()).await).await);
        assert!(!write(&store, async |tx| tx.job_retry(team, job.id, now()).await).await);
        let again = store.job_get(team, job.id).await.unwrap().unwrap();
        assert_eq!((again.state, again.attempts, again.finished_at), (JobState::Pending, 0, None));
        let stats = &store.queue_stats(now()).await.unwrap()[0];
        assert_eq!((stats.waiting, stats.dead, stats.oldest_due_at.is_some()), (1, 0, true));
        assert!(write(&store, async |tx| tx.job_discard(team, job.id).await).await);
        assert_eq!(store.job_get(team, job.id).await.unwrap().unwrap().state, JobState::Cancelled);
        assert!(!write(&store, async |tx| tx.job_discard(team, job.id).await).await);
    }
}
