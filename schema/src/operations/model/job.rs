use async_graphql::{ComplexObject, Context, Enum, ID, Json, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::trace::TraceContext;
use services::Queue as ServiceQueue;

use crate::context::caller;
use crate::error::to_graphql;

/// Where a job stands.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "domain::job::JobState")]
pub enum JobState {
    /// Waits for its time and a worker.
    Pending,
    /// A worker holds it.
    Running,
    /// It is done.
    Done,
    /// It failed more often than it may; a person has to look.
    Dead,
    /// It was called off.
    Cancelled,
}

/// Work that is written down before it is done.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Job {
    id: ID,
    /// What it does, such as `build`.
    kind: String,
    /// The queue it waits in.
    queue: String,
    /// What it is about: ids only.
    payload: Json<serde_json::Value>,
    /// Where it stands.
    state: JobState,
    /// Lower runs first.
    priority: i64,
    /// How often a worker took it.
    attempts: i64,
    /// How often a worker may take it.
    max_attempts: i64,
    /// Not before this time.
    run_at: DateTime<Utc>,
    /// What went wrong last.
    last_error: Option<String>,
    /// Which worker took it last.
    worker: Option<String>,
    created_at: DateTime<Utc>,
    /// When a worker took it last.
    started_at: Option<DateTime<Utc>>,
    /// When it ended for good.
    finished_at: Option<DateTime<Utc>>,
    /// The trace that runs from the request that caused it through all that followed (W3C Trace Context). Logs name it as `trace.id`.
    trace_id: Option<String>,
    #[graphql(skip)]
    row_id: domain::id::JobId,
}

#[ComplexObject]
impl Job {
    /// What went wrong with each attempt, the oldest first.
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
            state: job.state.into(),
            priority: job.priority,
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

/// What went wrong with one attempt of a job.
#[derive(SimpleObject)]
pub struct JobFailure {
    /// Which attempt, from 1.
    attempt: i64,
    /// Which worker tried.
    worker: Option<String>,
    /// What went wrong.
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
    /// Since when the oldest job that is due has waited.
    oldest_due_at: Option<DateTime<Utc>>,
    /// Since when nothing is taken from it.
    paused_at: Option<DateTime<Utc>>,
    /// How many of its jobs run at once over all workers; any number when there is none.
    concurrency: Option<i64>,
    /// How many of its jobs run at once for one team; any number when there is none.
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
