//! Numbered rows as server-sent events (HTML, section 9.2). A row's number is its event's id: whoever comes back with `Last-Event-ID`
//! misses nothing and sees nothing twice.

use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use http::header::{ACCEPT, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue};
use serde::Serialize;
use services::ServiceError;

use super::error::Answer;
use crate::problem::ProblemDetails;

/// Interval of heartbeats in a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// After how long a client that lost its stream comes back.
const RETRY: Duration = Duration::from_secs(2);

/// Returns true if a client requests a stream instead of a page.
pub(in crate::rest) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/event-stream")
    })
}

/// The number that a client that comes back saw last.
pub(in crate::rest) fn last_seen(headers: &HeaderMap) -> Answer<Option<i64>> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok()).filter(|number| *number >= 0);
    let wrong =
        || ServiceError::invalid("Last-Event-ID", "INVALID_NUMBER", "give the id of the last event you saw, which is a number");
    number.map(Some).ok_or_else(|| wrong().into())
}

/// A stream of rows. It ends with `event: end` when there are no more, or with `event: error` and the problem as its data.
pub(in crate::rest) fn serve<V: Serialize + Send + 'static>(
    rows: impl Stream<Item = services::Result<(i64, V)>> + Send + 'static,
) -> Response {
    let frames = stream::unfold(Some(Box::pin(rows)), |rows| async move {
        let mut rows = rows?;
        Some(match rows.next().await {
            Some(Ok((number, row))) => (Event::default().id(number.to_string()).json_data(row), Some(rows)),
            Some(Err(error)) => (Event::default().event("error").json_data(ProblemDetails::logged(&error)), None),
            None => (Ok(Event::default().event("end").data("{}")), None),
        })
    });
    let begin = stream::once(async { Ok(Event::default().retry(RETRY)) });
    let mut response = Sse::new(begin.chain(frames)).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(rows: Vec<services::Result<(i64, &'static str)>>) -> String {
        let response = serve(stream::iter(rows));
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        String::from_utf8(axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn rows_carry_their_numbers_and_the_end_is_said() {
        let text = body(vec![Ok((3, "a")), Ok((4, "b\n"))]).await;
        assert_eq!(text, "retry: 2000\n\nid: 3\ndata: \"a\"\n\nid: 4\ndata: \"b\\n\"\n\nevent: end\ndata: {}\n\n");
    }

    #[tokio::test]
    async fn an_error_is_the_last_that_is_said() {
        let text = body(vec![Ok((1, "a")), Err(ServiceError::Unauthenticated("revoked")), Ok((2, "b"))]).await;
        assert!(text.contains("event: error\ndata: {\"title\":\"Unauthorized\",\"status\":401,\"detail\":\"revoked\""), "{text}");
        assert!(!text.contains("id: 2") && !text.contains("event: end"), "{text}");
    }

    #[test]
    fn a_stream_is_asked_for_by_its_media_type() {
        let headers = |value: &'static str| HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))]);
        for (value, wanted) in [
            ("text/event-stream", true),
            ("application/json;q=0.5, Text/Event-Stream;q=1", true),
            ("application/json", false),
            ("*/*", false),
        ] {
            assert_eq!(is_wanted(&headers(value)), wanted, "{value}");
        }
    }
}
