//! Queues: how they stand, and how they are run.

use domain::access::{Actor, Permission};
use domain::job::QueueSettings;
use domain::time::now;
use jobs::payload::QUEUES;
use serde_json::{Value, json};
use services_core::audit::{Action, AuditEntry, record};
use services_core::{Result, ServiceError};
use store::QueueStats;

use super::Queues;

/// A queue: how it stands and how it is run.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Statistics of the queue, over all teams.
    pub stats: QueueStats,
    /// Settings of the queue.
    pub settings: QueueSettings,
}

/// Change of a queue by an operator. `None` leaves a field as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct QueueChange {
    /// Pauses the queue if true.
    pub paused: Option<bool>,
    /// Maximum number of its jobs that run concurrently over all workers; 0 for unlimited.
    pub concurrency: Option<i64>,
    /// Maximum number of its jobs that run concurrently for one team; 0 for unlimited.
    pub team_concurrency: Option<i64>,
}

impl Queues {
    /// Every queue. Queues are everybody's: only operators see and change them.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Queue>> {
        self.require_operator(actor, Permission::JobWrite).await?;
        let mut known = self.store().queue_stats(now()).await?;
        let mut queues = Vec::new();
        for name in QUEUES {
            let place = known.iter().position(|stats| stats.name == name);
            let empty = || QueueStats { name: name.to_owned(), waiting: 0, delayed: 0, running: 0, dead: 0, oldest_due_at: None };
            let stats = place.map_or_else(empty, |place| known.swap_remove(place));
            queues.push(Queue { stats, settings: self.store().queue_get(name).await? });
        }
        Ok(queues)
    }

    /// Changes how a queue is run.
    pub async fn update(&self, actor: &Actor, name: &str, change: QueueChange) -> Result<Queue> {
        let entry = AuditEntry::new(Action::QueueUpdate).on("queue", name);
        let allowed = self.require_operator(actor, Permission::JobWrite).await;
        self.audit_denial(actor, &entry, allowed).await?;
        if !QUEUES.contains(&name) {
            let message = format!("there is no queue `{}`: there are {}", name.escape_debug(), QUEUES.join(", "));
            return Err(ServiceError::invalid("name", "UNKNOWN_QUEUE", message));
        }
        let mut settings = self.store().queue_get(name).await?;
        let before = limits_logged(&settings);
        if let Some(paused) = change.paused {
            settings.paused_at = paused.then(|| settings.paused_at.unwrap_or_else(now));
        }
        for (field, limit, kept) in [
            ("concurrency", change.concurrency, &mut settings.concurrency),
            ("teamConcurrency", change.team_concurrency, &mut settings.team_concurrency),
        ] {
            match limit {
                None => {}
                Some(0) => *kept = None,
                Some(limit @ 1..=100_000) => *kept = Some(limit),
                Some(limit) => {
                    let message = format!("{limit} is out of range: give 1 to 100000, or 0 for any number");
                    return Err(ServiceError::invalid(field, "OUT_OF_RANGE", message));
                }
            }
        }
        let mut tx = self.begin().await?;
        tx.queue_put(name, &settings).await?;
        record(&mut tx, actor, entry.named(name).between(before, limits_logged(&settings))).await?;
        tx.commit().await?;
        let queues = self.list(actor).await?;
        queues.into_iter().find(|queue| queue.stats.name == name).ok_or(ServiceError::NotFound("queue"))
    }
}

/// Builds the audit log's details of a queue's settings.
fn limits_logged(settings: &QueueSettings) -> Value {
    json!({
        "paused": settings.paused_at.is_some(),
        "concurrency": settings.concurrency,
        "teamConcurrency": settings.team_concurrency,
    })
}
