//! The events and logs of deployments: in pages, or as server-sent events that go on until the deployment has ended.

use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::deployment::Deployment;
use domain::event::{self, DeploymentEvent, LogLine};
use domain::id::{DeploymentId, EnvironmentId, ProjectId};
use futures::StreamExt;
use http::header::VARY;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use services::{Page, Services};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::feeds::{events_until_end, has_ended, lines_until_end};
use crate::rest::projects::deployments::view::DeploymentStatus;
use crate::rest::protocol::capitals::Capitals;
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::event_stream;
use crate::rest::protocol::extract::{Caller, Path, Query};
use crate::rest::protocol::paging::PageOf;
use crate::state::ApiState;

/// The routes that may stream.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(events)).routes(routes!(logs)).routes(routes!(project_events))
}

/// A step in a deployment's life.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeploymentEvent)]
struct EventView {
    /// The deployment.
    #[schema(value_type = String)]
    deployment_id: DeploymentId,
    /// Counts the deployment's events from 1 without gaps.
    number: i64,
    /// The project.
    #[schema(value_type = String)]
    project_id: ProjectId,
    /// The environment.
    #[schema(value_type = String)]
    environment_id: EnvironmentId,
    /// Counts the events of all the project's deployments from 1 without gaps.
    project_number: i64,
    /// The status after the event.
    status: DeploymentStatus,
    /// Description of the event.
    message: String,
    /// Time of the event.
    at: DateTime<Utc>,
}

impl From<DeploymentEvent> for EventView {
    fn from(event: DeploymentEvent) -> Self {
        Self {
            deployment_id: event.deployment_id,
            number: event.number,
            project_id: event.project_id,
            environment_id: event.environment_id,
            project_number: event.project_number,
            status: event.status.into(),
            message: event.message,
            at: event.at,
        }
    }
}

type LogStream = Capitals<event::LogStream>;

/// One line of a deployment's log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogLine)]
struct LineView {
    /// Counts the deployment's lines from 1 without gaps.
    number: i64,
    /// Origin of the line.
    stream: LogStream,
    /// The text, secrets masked.
    text: String,
    /// Time at which the line was read.
    at: DateTime<Utc>,
}

impl From<LogLine> for LineView {
    fn from(line: LogLine) -> Self {
        Self { number: line.number, stream: line.stream.into(), text: line.text, at: line.at }
    }
}

/// Selection of the rows to follow.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct FollowQuery {
    /// Page size; 20 if omitted. A stream has all rows.
    #[param(minimum = 1, maximum = 100)]
    first: Option<i64>,
    /// Those with numbers above this; 0 when left out.
    #[param(minimum = 0)]
    after: Option<i64>,
}

impl FollowQuery {
    fn after(&self) -> services::Result<i64> {
        match self.after.unwrap_or(0) {
            after @ 0.. => Ok(after),
            _ => Err(services::ServiceError::invalid("after", "OUT_OF_RANGE", "give the number of a row, or 0")),
        }
    }
}

/// A page from up to `size + 1` rows: the extra row only tells that there are more.
fn page<R, V: From<R> + Serialize>(mut items: Vec<R>, size: i64, uri: http::Uri, number: impl Fn(&R) -> i64) -> PageOf<V> {
    let size = usize::try_from(size).unwrap_or(0);
    let has_more = items.len() > size;
    items.truncate(size);
    PageOf::new(Page { items, has_more }, uri, |row| number(row).to_string(), V::from)
}

/// One address has two forms: what is kept of one is not the other.
fn negotiated(response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    response
}

/// Returns true if nothing more follows in a deployment's stream, in which case a reconnecting client is told not to come again.
fn is_over(deployment: &Deployment, count: i64, seen: Option<i64>) -> bool {
    has_ended(deployment.status) && seen.is_some_and(|seen| seen >= count)
}

/// The events of a deployment with numbers above `after`, in order. With `Accept: text/event-stream` also those to come, until the
/// deployment has ended; `Last-Event-ID` takes the place of `after`.
#[utoipa::path(get, path = "/api/v1/deployments/{id}/events", tag = "deployments", operation_id = "listDeploymentEvents",
    params(("id" = String, Path, description = "The deployment.", pattern = "^dep_[0-9a-f]{32}$"), FollowQuery),
    responses((status = 200, content((PageOf<EventView> = "application/json"), (String = "text/event-stream")))))]
async fn events(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DeploymentId>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<FollowQuery>,
) -> Answer<Response> {
    let (size, seen) = (services::paging::page_size(query.first)?, event_stream::last_seen(&headers)?);
    let deployment = services.deployments().get(&actor, id).await?;
    if !event_stream::is_wanted(&headers) {
        let rows = services.feeds().event_lines(&actor, &deployment, query.after()?, size + 1).await?;
        return Ok(negotiated(page::<_, EventView>(rows, size, uri, |event| event.number)));
    }
    if is_over(&deployment, deployment.event_count, seen) {
        return Ok(negotiated(StatusCode::NO_CONTENT));
    }
    let after = seen.map_or_else(|| query.after(), Ok)?;
    let rows = events_until_end(&services, &actor, &deployment, after).await?;
    Ok(negotiated(event_stream::serve(rows.map(|row| row.map(|event| (event.number, EventView::from(event)))))))
}

/// The log lines of a deployment with numbers above `after`, in order. With `Accept: text/event-stream` also those to come, until the
/// deployment has ended; `Last-Event-ID` takes the place of `after`.
#[utoipa::path(get, path = "/api/v1/deployments/{id}/logs", tag = "deployments", operation_id = "listDeploymentLogs",
    params(("id" = String, Path, description = "The deployment.", pattern = "^dep_[0-9a-f]{32}$"), FollowQuery),
    responses((status = 200, content((PageOf<LineView> = "application/json"), (String = "text/event-stream")))))]
async fn logs(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DeploymentId>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<FollowQuery>,
) -> Answer<Response> {
    let (size, seen) = (services::paging::page_size(query.first)?, event_stream::last_seen(&headers)?);
    let deployment = services.deployments().get(&actor, id).await?;
    if !event_stream::is_wanted(&headers) {
        let rows = services.feeds().log_lines(&actor, &deployment, query.after()?, size + 1).await?;
        return Ok(negotiated(page::<_, LineView>(rows, size, uri, |line| line.number)));
    }
    if is_over(&deployment, deployment.log_count, seen) {
        return Ok(negotiated(StatusCode::NO_CONTENT));
    }
    let after = seen.map_or_else(|| query.after(), Ok)?;
    let rows = lines_until_end(&services, &actor, deployment, after).await?;
    Ok(negotiated(event_stream::serve(rows.map(|row| row.map(|line| (line.number, LineView::from(line)))))))
}

/// The events of all of a project's deployments with `projectNumber` above `after`, in order. With `Accept: text/event-stream` also those to
/// come; `Last-Event-ID` takes the place of `after`. A project's stream has no end of its own.
#[utoipa::path(get, path = "/api/v1/projects/{id}/events", tag = "projects", operation_id = "listProjectEvents",
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$"), FollowQuery),
    responses((status = 200, content((PageOf<EventView> = "application/json"), (String = "text/event-stream")))))]
async fn project_events(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<ProjectId>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<FollowQuery>,
) -> Answer<Response> {
    let (size, seen) = (services::paging::page_size(query.first)?, event_stream::last_seen(&headers)?);
    if !event_stream::is_wanted(&headers) {
        let rows = services.feeds().project_event_lines(&actor, id, query.after()?, size + 1).await?;
        return Ok(negotiated(page::<_, EventView>(rows, size, uri, |event| event.project_number)));
    }
    let after = seen.map_or_else(|| query.after(), Ok)?;
    let rows = services.feeds().project_events(&actor, id, after).await?;
    Ok(negotiated(event_stream::serve(rows.map(|row| row.map(|event| (event.project_number, EventView::from(event)))))))
}
