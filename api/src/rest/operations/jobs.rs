//! Jobs: work that is written down before it is done.

use axum::Json;
use axum::extract::{OriginalUri, State};
use chrono::{DateTime, Utc};
use domain::id::JobId;
use domain::job::{self, Job};
use domain::trace::TraceContext;
use serde::{Deserialize, Serialize};
use services::{JobFailure, JobFilter, Services};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rest::protocol::capitals::Capitals;
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::{Caller, Path, Query};
use crate::rest::protocol::paging::PageOf;
use crate::state::ApiState;

/// The routes of jobs.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(failures))
        .routes(routes!(retry))
        .routes(routes!(discard))
}

type JobState = Capitals<job::JobState>;

/// Work that is written down before it is done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
struct JobView {
    /// Identity.
    #[schema(value_type = String, pattern = "^job_[0-9a-f]{32}$")]
    id: JobId,
    /// Kind of the job, such as `build`.
    kind: String,
    /// The queue it waits in.
    queue: String,
    /// Payload of the job: ids only.
    #[schema(value_type = Object)]
    payload: serde_json::Value,
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
    /// Creation time.
    created_at: DateTime<Utc>,
    /// Start time of the last attempt.
    started_at: Option<DateTime<Utc>>,
    /// Time at which the job ended for good.
    finished_at: Option<DateTime<Utc>>,
    /// The trace that runs from the request that caused it through all that followed (W3C Trace Context).
    trace_id: Option<String>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            queue: job.queue,
            payload: job.payload,
            state: job.state.into(),
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
        }
    }
}

/// Failure of one attempt of a job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobFailure)]
struct FailureView {
    /// Number of the attempt, from 1.
    attempt: i64,
    /// Worker that made the attempt.
    worker: Option<String>,
    /// Error of the attempt.
    error: String,
    /// Time of the failure.
    at: DateTime<Utc>,
}

impl From<JobFailure> for FailureView {
    fn from(failure: JobFailure) -> Self {
        Self { attempt: failure.attempt, worker: failure.worker, error: failure.error, at: failure.at }
    }
}

/// Filter and page of the jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Only those of this queue.
    queue: Option<String>,
    /// Only those that stand so.
    #[param(inline)]
    state: Option<JobState>,
    /// Page size; 20 if omitted.
    #[param(minimum = 1, maximum = 100)]
    first: Option<i64>,
    /// The `endCursor` of the page before.
    #[param(value_type = Option<String>, pattern = "^job_[0-9a-f]{32}$")]
    after: Option<JobId>,
}

/// The team's jobs, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", operation_id = "listJobs", params(ListQuery),
    responses((status = 200, body = PageOf<JobView>)))]
async fn list(
    Caller(actor): Caller,
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Answer<PageOf<JobView>> {
    let size = services::paging::page_size(query.first)?;
    let filter = JobFilter { queue: query.queue, state: query.state.map(|Capitals(state)| state) };
    let page = services.jobs().list(&actor, &filter, query.after, size).await?;
    Ok(PageOf::new(page, uri, |job| job.id.to_string(), JobView::from))
}

/// One of the team's jobs.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", operation_id = "getJob",
    params(("id" = String, Path, description = "The job.", pattern = "^job_[0-9a-f]{32}$")),
    responses((status = 200, body = JobView)))]
async fn show(Caller(actor): Caller, State(services): State<Services>, Path(id): Path<JobId>) -> Answer<Json<JobView>> {
    Ok(Json(services.jobs().get(&actor, id).await?.into()))
}

/// Lists the failures of a job's attempts, the oldest first.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/failures", tag = "jobs", operation_id = "listJobFailures",
    params(("id" = String, Path, description = "The job.", pattern = "^job_[0-9a-f]{32}$")),
    responses((status = 200, body = PageOf<FailureView>)))]
async fn failures(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<JobId>,
    OriginalUri(uri): OriginalUri,
) -> Answer<PageOf<FailureView>> {
    services.jobs().get(&actor, id).await?;
    let failures = services.jobs().failures(&actor, id).await?;
    Ok(PageOf::whole(failures.into_iter().map(FailureView::from).collect(), uri))
}

/// Gives a dead job all its attempts again.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/retry", tag = "jobs", operation_id = "retryJob",
    params(("id" = String, Path, description = "The job.", pattern = "^job_[0-9a-f]{32}$")),
    responses((status = 200, body = JobView)))]
async fn retry(Caller(actor): Caller, State(services): State<Services>, Path(id): Path<JobId>) -> Answer<Json<JobView>> {
    Ok(Json(services.jobs().retry(&actor, id).await?.into()))
}

/// Cancels a job that waits, or takes a dead one out of the dead set.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/discard", tag = "jobs", operation_id = "discardJob",
    params(("id" = String, Path, description = "The job.", pattern = "^job_[0-9a-f]{32}$")),
    responses((status = 200, body = JobView)))]
async fn discard(Caller(actor): Caller, State(services): State<Services>, Path(id): Path<JobId>) -> Answer<Json<JobView>> {
    Ok(Json(services.jobs().discard(&actor, id).await?.into()))
}
