//! Clocks that were ahead for a while, on both databases.

use chrono::TimeDelta;
use domain::schedule::{Action, MissedRuns, RunState};
use domain::time::now;
use services::{CoreSettings, NewSchedule, Settings};
use store::Store;

use crate::house::{TestHouse, open};

async fn entries(house: &TestHouse) -> usize {
    house.services.store().audit_range(house.owner.team_id, 0, i64::MAX, 1000).await.unwrap().len()
}

/// Signs the log, as housekeeping does.
async fn sign(house: &TestHouse) {
    let mut tx = house.services.begin().await.unwrap();
    house.services.audit().sign(&mut tx, house.owner.team_id).await.unwrap();
    tx.commit().await.unwrap();
}

testkit::on_both_databases! {
    open;

    async fn a_clock_that_is_ahead_once_does_not_end_the_audit_log(store: Store) {
        let keep = |settings: Settings| Settings { core: CoreSettings { keep_audit_entries: Some(TimeDelta::days(400)), ..settings.core }, ..settings };
        let house = TestHouse::with(store, keep).await;
        for name in ["one", "two", "three"] {
            house.project(&house.owner, name).await;
        }
        sign(&house).await;
        let (services, start) = (&house.services, now());
        let purge_at = async |at| {
            let time = services.retention_time_at(at).await.unwrap();
            services.audit().expire(time).await.unwrap();
            services.store().alert_open_counts().await.unwrap().iter().any(|(kind, _)| kind == "clock")
        };
        let ahead = start + TimeDelta::days(500);
        // Nobody has looked at the clock yet, and it is wrong already.
        assert!(purge_at(ahead).await, "it is told of");
        assert!(purge_at(ahead + TimeDelta::hours(1)).await);
        assert_eq!(entries(&house).await, 3);
        assert!(!purge_at(start + TimeDelta::hours(2)).await, "it was put right");
        assert_eq!(entries(&house).await, 3);
        for hours in [0, 12] {
            purge_at(ahead + TimeDelta::hours(hours)).await;
        }
        assert_eq!(entries(&house).await, 3);
        assert!(!purge_at(ahead + TimeDelta::hours(24)).await, "so much time has passed indeed");
        assert!(entries(&house).await < 3);
    }

    async fn a_schedule_comes_back_with_the_clock(store: Store) {
        let house = TestHouse::new(store).await;
        let (services, owner) = (&house.services, &house.owner);
        let project = house.project(owner, "shop").await;
        let schedule = services.schedules().create(owner, NewSchedule {
            project: project.id,
            environment: None,
            name: "nightly".to_owned(),
            cron: "0 * * * *".to_owned(),
            time_zone: None,
            action: Action::Request { path: "/".to_owned() },
            missed: MissedRuns::Skip,
            timeout_seconds: None,
        }).await.unwrap();
        let first = schedule.next_due_at.unwrap();
        let next = async || services.schedules().list(owner, project.id).await.unwrap().remove(0).next_due_at.unwrap();
        let fire = async |at| {
            let mut tx = services.begin().await.unwrap();
            services.schedules().fire_due(&mut tx, at).await.unwrap();
            tx.commit().await.unwrap();
        };
        let ahead = first + TimeDelta::hours(5) + TimeDelta::minutes(30);
        fire(ahead).await;
        assert_eq!(next().await, first + TimeDelta::hours(6));
        let skipped = services.schedules().runs(owner, schedule.id, None, 100).await.unwrap().items.len();
        assert_eq!(skipped, 6, "nobody was there for five hours, it seemed");

        services.schedules().pull_back(first - TimeDelta::minutes(10)).await.unwrap();
        assert_eq!(next().await, first);
        fire(first + TimeDelta::seconds(1)).await;
        let runs = services.schedules().runs(owner, schedule.id, None, 100).await.unwrap().items;
        assert_eq!(runs.iter().map(|run| (run.due_at, run.state)).collect::<Vec<_>>(), [(first, RunState::Waiting)]);
        services.schedules().pull_back(first + TimeDelta::seconds(2)).await.unwrap();
        assert_eq!(next().await, first + TimeDelta::hours(1), "what is due in time stays so");
    }
}
