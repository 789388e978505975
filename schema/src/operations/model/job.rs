use async_graphql::{ComplexObject, Context, ID, Json, Result, SimpleObject};
use chrono::{DateTime, Utc};
pub use domain::job::JobState;
use domain::trace::TraceContext;
use services::Queue as ServiceQueue;

use crate::context::caller;
use crate::error::to_graphql;

/// Work that is written down before it is done.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Job {
    id: ID,
    /// Kind of the job, such as `build`.
    kind: String,
    /// The queue it waits in.
    queue: String,
    /// Payload of the job: ids only.
    payload: Json<serde_json::Value>,
    /// State of the job.
    state: JobState,
    /// Lower runs first.
    priority: i64,
    /// Condition in a cloud that it waits for, for people; null when it waits for none.
    waits_for: Option<String>,
    /// Number of attempts made so far.
    attempts: i64,
    /// Maximum number of attempts.
    max_attempts: i64,
    /// Not before this time.
    run_at: DateTime<Utc>,
    /// Error of the last failed attempt.
    last_error: Option<String>,
    /// Worker that took the job last.
    worker: Option<String>,
    created_at: DateTime<Utc>,
    /// Start time of the last attempt.
    started_at: Option<DateTime<Utc>>,
    /// Time at which the job ended for good.
    finished_at: Option<DateTime<Utc>>,
    /// The trace that runs from the request that caused it through all that followed (W3C Trace Context). Logs name it as `trace.id`.
    trace_id: Option<String>,
    #[graphql(skip)]
    row_id: domain::id::JobId,
}

#[ComplexObject]
impl Job {
    /// Returns the failures of the attempts, the oldest first.
    async fn failures(&self, context: &Context<'_>) -> Result<Vec<JobFailure>> {
        let (services, actor) = caller(context)?;
        let failures = services.jobs().failures(actor, self.row_id).await.map_err(to_graphql)?;
        Ok(failures.into_iter().map(JobFailure::from).collect())
    }
}

impl From<domain::job::Job> for Job {
    fn from(job: domain::job::Job) -> Self {
        Self {
            id: job.id.to_string().into(),
            kind: job.kind,
            queue: job.queue,
            payload: Json(job.payload),
            state: job.state,
            priority: job.priority,
            waits_for: job.waits_for,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            run_at: job.run_at,
            last_error: job.last_error,
            worker: job.worker,
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            trace_id: job.trace.and_then(|trace| trace.parse().ok()).map(|trace: TraceContext| trace.trace_id()),
            row_id: job.id,
        }
    }
}

/// Failure of one attempt of a job.
#[derive(SimpleObject)]
pub struct JobFailure {
    /// Number of the attempt, from 1.
    attempt: i64,
    /// Worker that made the attempt.
    worker: Option<String>,
    /// Error of the attempt.
    error: String,
    at: DateTime<Utc>,
}

impl From<services::JobFailure> for JobFailure {
    fn from(failure: services::JobFailure) -> Self {
        Self { attempt: failure.attempt, worker: failure.worker, error: failure.error, at: failure.at }
    }
}

/// A queue, over all teams.
#[derive(SimpleObject)]
pub struct Queue {
    name: String,
    /// Jobs that are due and wait for a worker.
    waiting: i64,
    /// Jobs that wait for their time.
    delayed: i64,
    /// Jobs that run.
    running: i64,
    /// Jobs that failed more often than they may.
    dead: i64,
    /// Time since which the oldest due job has waited.
    oldest_due_at: Option<DateTime<Utc>>,
    /// Time since which the queue is paused.
    paused_at: Option<DateTime<Utc>>,
    /// Maximum number of its jobs that run concurrently over all workers; null for unlimited.
    concurrency: Option<i64>,
    /// Maximum number of its jobs that run concurrently for one team; null for unlimited.
    team_concurrency: Option<i64>,
}

impl From<ServiceQueue> for Queue {
    fn from(ServiceQueue { stats, settings }: ServiceQueue) -> Self {
        Self {
            name: stats.name,
            waiting: stats.waiting,
            delayed: stats.delayed,
            running: stats.running,
            dead: stats.dead,
            oldest_due_at: stats.oldest_due_at,
            paused_at: settings.paused_at,
            concurrency: settings.concurrency,
            team_concurrency: settings.team_concurrency,
        }
    }
}
