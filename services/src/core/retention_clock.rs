//! The time that the age of what is kept is told by. A clock that is ahead for a moment must not end what cannot be had again.

use domain::retention_clock::RetentionClock;
use domain::time::{Timestamp, now};
use store::StoreError;

use crate::Services;
use crate::core::alerts::raise;

/// The fact that the clock is kept as.
const FACT: &str = "retention_clock";
/// The kind of the alert while a leap is waited out, and its subject.
const ALERT: (&str, &str) = ("clock", "retention");
/// Looks that follow each other faster are not written down.
const WRITTEN_EVERY: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

impl Services {
    /// The present moment, for what is deleted because it is old.
    pub(crate) async fn retention_time(&self) -> Result<Timestamp, StoreError> {
        self.retention_time_at(now()).await
    }

    /// The same when the clock shows this.
    pub(crate) async fn retention_time_at(&self, at: Timestamp) -> Result<Timestamp, StoreError> {
        let recorded = self.store().installation_get(FACT).await?.and_then(|text| serde_json::from_str(&text).ok());
        // The clock may leap before it is looked at for the first time.
        let clock: RetentionClock = if let Some(clock) = recorded {
            clock
        } else {
            let known = self.store().audit_latest().await?.max(self.store().installation_began().await?);
            RetentionClock::at(known.unwrap_or(at))
        };
        let next = clock.look(at);
        let moved = (next.seen - clock.seen).abs() >= WRITTEN_EVERY;
        if recorded.is_some() && !moved && next.ahead_since == clock.ahead_since {
            return Ok(next.shows);
        }
        let mut tx = self.begin().await?;
        // A clock is three moments: it always serialises.
        tx.installation_put(FACT, &serde_json::to_string(&next).unwrap_or_default()).await?;
        if next.ahead_since.is_some() {
            let message = format!(
                "the clock shows {}, which is far ahead of the last time that it showed: nothing is deleted for its age until it has gone on \
                 evenly for a day. Put it right if it is wrong",
                at.format("%Y-%m-%d %H:%M UTC")
            );
            raise(&mut tx, None, ALERT.0, ALERT.1, message).await?;
        } else {
            tx.alert_resolve(ALERT.0, ALERT.1).await?;
        }
        tx.commit().await?;
        Ok(next.shows)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::schedule::{Action, MissedRuns, RunState};
    use store::Store;

    use super::*;
    use crate::test_house::{TestHouse, open};
    use crate::{NewSchedule, Settings};

    async fn entries(house: &TestHouse) -> usize {
        house.services.store().audit_range(house.owner.team_id, 0, i64::MAX, 1000).await.unwrap().len()
    }

    /// Signs the log, as housekeeping does.
    async fn sign(house: &TestHouse) {
        let mut tx = house.services.begin().await.unwrap();
        house.services.inner.auditor.checkpoint(&mut tx, house.owner.team_id).await.unwrap();
        tx.commit().await.unwrap();
    }

    testkit::on_both_databases! {
        open;

        async fn a_clock_that_is_ahead_once_does_not_end_the_audit_log(store: Store) {
            let keep = |settings| Settings { keep_audit_entries: Some(TimeDelta::days(400)), ..settings };
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
}
