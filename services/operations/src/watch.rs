//! Looks at schedules and at what should have happened. It depends on neither queue nor worker: every process runs it, one at a time
//! does it.

use std::time::Duration;

use chrono::TimeDelta;
use domain::time::now;
use services_core::Result;
use services_core::alerts::raise;
use services_core::unit_of_work::UnitOfWork;
use store::{Lock, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Watcher;

/// Interval at which schedules and queues are checked.
const EVERY: Duration = Duration::from_secs(1);
const QUEUES_EVERY: Duration = Duration::from_secs(10);
/// Interval at which schedules are checked for due times that a clock which was ahead left behind.
const PULL_EVERY: Duration = Duration::from_mins(1);

/// A job that waited longer than this for a worker is told of.
const OLD: TimeDelta = TimeDelta::minutes(5);

impl Watcher {
    /// Watches until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let (mut queues_due, mut pull_due) = (Instant::now(), Instant::now());
        loop {
            if Instant::now() >= pull_due {
                pull_due = Instant::now() + PULL_EVERY;
                if let Err(error) = self.schedules().pull_back(now()).await {
                    tracing::warn!(
                        error = jobs::handler::chain(&error),
                        "schedules that the clock left behind could not be looked at; the next try is in a minute"
                    );
                }
            }
            let with_queues = Instant::now() >= queues_due;
            if with_queues {
                queues_due = Instant::now() + QUEUES_EVERY;
            }
            if let Err(error) = self.look(with_queues).await {
                tracing::warn!(
                    error = jobs::handler::chain(&error),
                    "schedules could not be looked at; the next try is in a second"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Fires what is due, and raises alerts on what did not happen.
    pub(crate) async fn look(&self, with_queues: bool) -> Result<(), StoreError> {
        let at = now();
        let late = self.store().schedule_run_list_late(at).await?;
        if !with_queues && late.is_empty() && !self.schedules().is_any_due(at).await? {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        if !tx.try_lock(Lock::Watch).await? {
            return Ok(());
        }
        self.schedules().fire_due(&mut tx, at).await?;
        for run in late {
            let what = if run.started_at.is_some() { "has not ended" } else { "was not begun: no worker took it" };
            let message = format!("a run that was due at {} {what}", run.due_at.to_rfc3339());
            raise(&mut tx, Some(run.team_id), "run_missed", &run.schedule_id.to_string(), message).await?;
        }
        if with_queues {
            self.look_at_queues(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn look_at_queues(&self, tx: &mut UnitOfWork) -> Result<(), StoreError> {
        for queue in self.store().queue_stats(now()).await? {
            let age = queue.oldest_due_at.map(|due| now() - due).filter(|age| *age > OLD);
            match age {
                Some(age) => {
                    let message = format!(
                        "the oldest job of the queue `{}` has waited for {} minutes ({} wait): are enough workers running?",
                        queue.name,
                        age.num_minutes(),
                        queue.waiting
                    );
                    raise(tx, None, "queue_age", &queue.name, message).await?;
                }
                None => tx.alert_resolve("queue_age", &queue.name).await?,
            }
            if queue.dead > 0 {
                let message = format!(
                    "{} jobs of the queue `{}` are dead: `mikrocloud jobs list --state dead` shows them",
                    queue.dead, queue.name
                );
                raise(tx, None, "dead_jobs", &queue.name, message).await?;
            } else {
                tx.alert_resolve("dead_jobs", &queue.name).await?;
            }
        }
        Ok(())
    }
}
