//! The audit log: who changed what, in pages, or whole as lines.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Actor;
use futures::stream;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use services::audit::{AuditQuery, ExportFormat, NewExport};
use services::{ServiceError, Services};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{AuditOutcome, EntryView};
use crate::rest::protocol::capitals::Capitals;
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::{Caller, Query};
use crate::rest::protocol::paging::PageOf;
use crate::state::ApiState;

/// A document of JSON per line.
const LINES: &str = "application/x-ndjson";
/// The same, where each is an event of the Open Cybersecurity Schema Framework.
const EVENTS: &str = "application/vnd.ocsf+x-ndjson";

/// The routes of the log's pages.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The route of exports, which take as long as the log is long.
pub(in crate::rest) fn export_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(export))
}

/// Filter and page of the entries to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Not before this moment.
    since: Option<DateTime<Utc>>,
    /// Before this moment.
    until: Option<DateTime<Utc>>,
    /// A user's id or address, or the id of a session, an API key or a schedule.
    actor: Option<String>,
    /// The name of an action such as `project.create`, or what stands before its dot.
    action: Option<String>,
    /// The id or the name of what it was done to.
    target: Option<String>,
    /// Outcome of the action: done or refused.
    outcome: Option<AuditOutcome>,
    /// Page size; 20 if omitted.
    #[param(minimum = 1, maximum = 100)]
    first: Option<i64>,
    /// Those before this entry's number.
    #[param(minimum = 1)]
    after: Option<i64>,
}

/// The team's audit log, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", operation_id = "listAuditEntries", params(ListQuery),
    responses((status = 200, body = PageOf<EntryView>)))]
async fn list(
    Caller(actor): Caller,
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Answer<PageOf<EntryView>> {
    let ListQuery { since, until, actor: who, action, target, outcome, first, after } = query;
    let size = services::paging::page_size(first)?;
    if after.is_some_and(|after| after < 1) {
        return Err(ServiceError::invalid("after", "OUT_OF_RANGE", "give the number of an entry").into());
    }
    let query = AuditQuery { since, until, actor: who, action, target, outcome: outcome.map(|Capitals(outcome)| outcome) };
    let page = services.audit().list(&actor, &query, after, size).await?;
    Ok(PageOf::new(page, uri, |record| record.entry.sequence.to_string(), EntryView::from))
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AuditFormat {
    /// Entries and checkpoints, which `mikrocloud audit verify` checks without a server.
    JsonLines,
    /// Events of the Open Cybersecurity Schema Framework 1.3.0, class API Activity.
    Ocsf,
}

/// Selection of the entries to export.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    /// The form; when left out it is what `Accept` asks for, and `JSON_LINES` if that asks for neither.
    #[param(inline)]
    format: Option<AuditFormat>,
    /// Not before this moment.
    since: Option<DateTime<Utc>>,
    /// Before this moment.
    until: Option<DateTime<Utc>>,
}

fn format_of(query: &ExportQuery, headers: &HeaderMap) -> ExportFormat {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut kinds = accepted.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    match query.format {
        Some(AuditFormat::Ocsf) => ExportFormat::Ocsf,
        None if kinds.any(|kind| kind.eq_ignore_ascii_case(EVENTS)) => ExportFormat::Ocsf,
        Some(AuditFormat::JsonLines) | None => ExportFormat::JsonLines,
    }
}

/// The team's audit log, oldest first, a JSON document per line. That it was exported is an entry itself. An answer that breaks off is not
/// whole: `mikrocloud audit verify` says so.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", operation_id = "exportAuditLog", params(ExportQuery),
    responses((status = 200, content((String = "application/x-ndjson"), (String = "application/vnd.ocsf+x-ndjson")))))]
async fn export(
    Caller(actor): Caller,
    State(services): State<Services>,
    headers: HeaderMap,
    Query(query): Query<ExportQuery>,
) -> Answer<Response> {
    let format = format_of(&query, &headers);
    let begun = services.audit().begin_export(&actor, NewExport { format, since: query.since, until: query.until }).await?;
    let head = begun.head.map(|head| head + "\n").unwrap_or_default();
    // Nothing to ask for is an export without pages.
    let next = (begun.after < begun.to).then_some(begun.after);
    let pages = stream::try_unfold((Some(head), next), move |(head, next)| {
        let (services, actor) = (services.clone(), actor.clone());
        async move {
            match (head, next) {
                (Some(head), next) => Ok(Some((head, (None, next)))),
                (None, Some(after)) => page(&services, &actor, format, after, begun.to).await.map(Some),
                (None, None) => Ok(None),
            }
        }
    });
    let mut response = Body::from_stream(pages).into_response();
    let kind = if format == ExportFormat::Ocsf { EVENTS } else { LINES };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// A page of an export as text, and after which entry the next one begins.
async fn page(
    services: &Services,
    actor: &Actor,
    format: ExportFormat,
    after: i64,
    to: i64,
) -> services::Result<(String, (Option<String>, Option<i64>))> {
    services.feeds().check_standing(actor).await?;
    let page = services.audit().export_page(actor, format, after, to).await?;
    let text: String = page.lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect();
    Ok((text, (None, page.next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_parameter_or_what_is_accepted() {
        let query = |format| ExportQuery { format, since: None, until: None };
        for (format, accept, expected) in [
            (None, "*/*", ExportFormat::JsonLines),
            (None, "application/x-ndjson", ExportFormat::JsonLines),
            (None, "text/plain, Application/Vnd.OCSF+x-ndjson;q=0.9", ExportFormat::Ocsf),
            (Some(AuditFormat::JsonLines), EVENTS, ExportFormat::JsonLines),
            (Some(AuditFormat::Ocsf), LINES, ExportFormat::Ocsf),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(format_of(&query(format), &headers), expected, "{format:?} {accept}");
        }
    }
}
