//! Looking after jobs and queues: what waits, what failed, what is to be tried again.

use domain::access::{Actor, Permission};
use domain::id::JobId;
use domain::job::{DueJob, Job, JobState, QueueSettings};
use domain::time::now;
use jobs::payload::QUEUES;
use serde_json::{Value, json};
use store::{JobFailure, JobFilter, Page, QueueStats};

use crate::audit::{Action, Change, record};
use crate::{Result, ServiceError, Services, require};

/// A queue: how it stands and how it is run.
#[derive(Debug, Clone)]
pub struct Queue {
    /// How it stands, over all teams.
    pub stats: QueueStats,
    /// How it is run.
    pub settings: QueueSettings,
}

/// What an operator changes about a queue. What is `None` stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct QueueChange {
    /// Whether nothing is taken from it.
    pub paused: Option<bool>,
    /// How many of its jobs run at once over all workers; 0 for any number.
    pub concurrency: Option<i64>,
    /// How many of its jobs run at once for one team; 0 for any number.
    pub team_concurrency: Option<i64>,
}

impl Services {
    /// A page of the team's jobs, newest first.
    pub async fn jobs(&self, actor: &Actor, filter: &JobFilter, after: Option<JobId>, limit: i64) -> Result<Page<Job>> {
        require(actor, Permission::ProjectRead)?;
        Ok(self.store().job_list(actor.team_id, filter, after, limit).await?)
    }

    /// One of the team's jobs.
    pub async fn job(&self, actor: &Actor, id: JobId) -> Result<Job> {
        require(actor, Permission::ProjectRead)?;
        self.store().job_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("job"))
    }

    /// What went wrong with each attempt of a job.
    pub async fn job_failures(&self, actor: &Actor, id: JobId) -> Result<Vec<JobFailure>> {
        require(actor, Permission::ProjectRead)?;
        Ok(self.store().job_failure_list(actor.team_id, id).await?)
    }

    /// Gives a dead job all its attempts again, from now on.
    pub async fn retry_job(&self, actor: &Actor, id: JobId) -> Result<Job> {
        let entry = Change::new(Action::JobRetry).on("job", id);
        self.noted(actor, &entry, require(actor, Permission::JobWrite)).await?;
        let Job { kind, state, queue, priority, .. } = self.job(actor, id).await?;
        let mut tx = self.begin().await?;
        if !tx.job_retry(actor.team_id, id, now()).await? {
            return Err(self.not_in_state(actor, id, "only dead jobs can be tried again").await);
        }
        let entry = entry.named(kind).before(json!({"state": logged(state)}));
        record(&mut tx, actor, entry.after(json!({"state": logged(JobState::Pending)}))).await?;
        tx.wake(queue, DueJob { id, team_id: actor.team_id, priority });
        tx.commit().await?;
        self.job(actor, id).await
    }

    /// Calls off a job that waits, or takes a dead one out of the dead set.
    pub async fn discard_job(&self, actor: &Actor, id: JobId) -> Result<Job> {
        let entry = Change::new(Action::JobDiscard).on("job", id);
        self.noted(actor, &entry, require(actor, Permission::JobWrite)).await?;
        let Job { kind, state, .. } = self.job(actor, id).await?;
        let mut tx = self.begin().await?;
        if !tx.job_discard(actor.team_id, id).await? {
            return Err(self.not_in_state(actor, id, "only jobs that wait or are dead can be discarded").await);
        }
        let entry = entry.named(kind).before(json!({"state": logged(state)}));
        record(&mut tx, actor, entry.after(json!({"state": logged(JobState::Cancelled)}))).await?;
        tx.commit().await?;
        self.job(actor, id).await
    }

    async fn not_in_state(&self, actor: &Actor, id: JobId, rule: &str) -> ServiceError {
        match self.job(actor, id).await {
            Ok(job) => {
                let state = logged(job.state);
                ServiceError::invalid("jobId", "WRONG_STATE", format!("this job is {state}: {rule}"))
            }
            Err(error) => error,
        }
    }

    /// Every queue. Queues are everybody's: only who runs the installation sees and changes them.
    pub async fn queues(&self, actor: &Actor) -> Result<Vec<Queue>> {
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
    pub async fn update_queue(&self, actor: &Actor, name: &str, change: QueueChange) -> Result<Queue> {
        let entry = Change::new(Action::QueueUpdate).on("queue", name);
        let allowed = self.require_operator(actor, Permission::JobWrite).await;
        self.noted(actor, &entry, allowed).await?;
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
        let queues = self.queues(actor).await?;
        queues.into_iter().find(|queue| queue.stats.name == name).ok_or(ServiceError::NotFound("queue"))
    }

    /// Checks that the actor may do this in the team, and is who runs the installation.
    pub(crate) async fn require_operator(&self, actor: &Actor, permission: Permission) -> Result<()> {
        require(actor, permission)?;
        if self.store().user_is_operator(actor.user_id).await? {
            return Ok(());
        }
        Err(ServiceError::Denied(permission))
    }
}

/// What the audit log and messages call a state.
fn logged(state: JobState) -> String {
    format!("{state:?}").to_lowercase()
}

/// What the audit log says of how a queue is run.
fn limits_logged(settings: &QueueSettings) -> Value {
    json!({
        "paused": settings.paused_at.is_some(),
        "concurrency": settings.concurrency,
        "teamConcurrency": settings.team_concurrency,
    })
}
