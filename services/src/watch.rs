//! Looks at schedules and at what should have happened. It depends on neither queue nor worker: every process runs it, one at a time
//! does it.

use std::time::Duration;

use chrono::TimeDelta;
use domain::access::{Actor, Permission};
use domain::alert::Alert;
use domain::id::{AlertId, TeamId};
use domain::time::now;
use store::{Lock, NewJob, Page, StoreError, Tx};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::deployments::Notices;
use crate::notifications::tell_of_alert;
use crate::{Result, Services, require};

/// How often schedules are looked at, and the queues.
const EVERY: Duration = Duration::from_secs(1);
const QUEUES_EVERY: Duration = Duration::from_secs(10);

/// A job that waited longer than this for a worker is told of.
const OLD: TimeDelta = TimeDelta::minutes(5);

/// How long the receiver of alerts may take.
const RECEIVER_PATIENCE: Duration = Duration::from_secs(10);

/// An alert that was raised just now, to be told once the transaction is committed.
pub(crate) struct Raised(Alert, Vec<NewJob>);

/// Raises an alert unless it lasts already.
pub(crate) async fn raise(
    tx: &mut Tx,
    team_id: Option<TeamId>,
    kind: &str,
    subject: &str,
    message: String,
) -> Result<Option<Raised>, StoreError> {
    let (kind, subject) = (kind.to_owned(), subject.to_owned());
    let alert = Alert { id: AlertId::new(), team_id, kind, subject, message, raised_at: now(), resolved_at: None };
    if !tx.alert_raise(&alert).await? {
        return Ok(None);
    }
    let jobs = tell_of_alert(tx, &alert).await?;
    Ok(Some(Raised(alert, jobs)))
}

impl Services {
    /// The team's alerts, the latest first; who runs the installation also sees those about all of it.
    pub async fn alerts(&self, actor: &Actor, after: Option<AlertId>, limit: i64) -> Result<Page<Alert>> {
        require(actor, Permission::ProjectRead)?;
        let operator = self.store().user_is_operator(actor.user_id).await?;
        Ok(self.store().alert_list(actor.team_id, operator, after, limit).await?)
    }

    /// Watches until told to stop.
    pub async fn watch(self, stop: CancellationToken) {
        let mut queues_due = Instant::now();
        loop {
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
        let late = self.store().run_list_late(at).await?;
        if !with_queues && late.is_empty() && !self.is_any_due(at).await? {
            return Ok(());
        }
        let mut tx = self.store().begin().await?;
        if !tx.try_lock(Lock::Watch).await? {
            return Ok(());
        }
        let mut notices = Notices::default();
        let mut raised = self.fire_due(&mut tx, &mut notices, at).await?;
        for run in late {
            let what = if run.started_at.is_some() { "has not ended" } else { "was not begun: no worker took it" };
            let message = format!("a run that was due at {} {what}", run.due_at.to_rfc3339());
            raised.extend(raise(&mut tx, Some(run.team_id), "run_missed", &run.schedule_id.to_string(), message).await?);
        }
        if with_queues {
            raised.extend(self.look_at_queues(&mut tx).await?);
        }
        tx.commit().await?;
        self.give(notices);
        self.tell(raised);
        Ok(())
    }

    async fn look_at_queues(&self, tx: &mut Tx) -> Result<Vec<Raised>, StoreError> {
        let mut raised = Vec::new();
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
                    raised.extend(raise(tx, None, "queue_age", &queue.name, message).await?);
                }
                None => tx.alert_resolve("queue_age", &queue.name).await?,
            }
            if queue.dead > 0 {
                let message = format!(
                    "{} jobs of the queue `{}` are dead: `mikrocloud jobs list --state dead` shows them",
                    queue.dead, queue.name
                );
                raised.extend(raise(tx, None, "dead_jobs", &queue.name, message).await?);
            } else {
                tx.alert_resolve("dead_jobs", &queue.name).await?;
            }
        }
        Ok(raised)
    }

    /// Tells of alerts: in the log, in the metrics, and to the receiver that is set up.
    pub(crate) fn tell(&self, raised: impl IntoIterator<Item = Raised>) {
        for Raised(alert, jobs) in raised {
            for job in jobs {
                self.inner.wakeups.push(job.queue, job.due());
            }
            tracing::warn!(alert.kind, alert.subject, alert.message, "alert");
            metrics::counter!("mikrocloud_alerts_total", "kind" => alert.kind.clone()).increment(1);
            if let Some(url) = self.inner.settings.alert_webhook.clone() {
                tokio::spawn(send(url, alert));
            }
        }
    }
}

/// Sends an alert to a receiver of JSON, in the form that chat services take.
async fn send(url: domain::secret::Secret, alert: Alert) {
    let body = serde_json::json!({
        "text": format!("MikroCloud: {}", alert.message),
        "kind": alert.kind, "subject": alert.subject, "message": alert.message, "raisedAt": alert.raised_at,
    });
    let sent = async {
        let client = reqwest::Client::builder().timeout(RECEIVER_PATIENCE).build()?;
        client.post(url.expose()).json(&body).send().await?.error_for_status()
    };
    if let Err(error) = sent.await {
        // The address may hold a token.
        tracing::warn!(error = %error.without_url(), "the receiver of alerts did not take one");
    }
}
