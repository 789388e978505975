//! Load shedding: so many requests at once, so many that wait for their turn, and for the rest a quick refusal. A server that takes
//! everything on answers nobody in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use metrics::{Counter, Gauge};
use services::ServiceError;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::problem::{Refusal, refusal};

/// The largest request body apart from uploads, in bytes.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Delay after which a refused client may retry, in seconds.
const RETRY_SECONDS: u64 = 1;

/// Limits of concurrent load.
#[derive(Debug, Clone, Copy)]
pub struct LoadLimits {
    /// Requests that are worked on at once.
    pub at_once: usize,
    /// Requests that wait until others are done.
    pub waiting: usize,
    /// Maximum waiting time.
    pub wait: Duration,
    /// Timeout of a request's head, including the time between two requests.
    pub head: Duration,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self { at_once: 256, waiting: 2048, wait: Duration::from_secs(2), head: Duration::from_secs(75) }
    }
}

/// Lets so many in.
pub(crate) struct Gate {
    limits: LoadLimits,
    places: Semaphore,
    waiting: AtomicUsize,
    in_flight: Gauge,
    shed: Counter,
}

impl Gate {
    /// A gate of a kind of requests, which its metrics are labelled with.
    pub fn new(kind: &'static str, limits: LoadLimits) -> Self {
        let in_flight = metrics::gauge!("mikrocloud_http_requests_in_flight", "kind" => kind);
        let shed = metrics::counter!("mikrocloud_http_requests_shed_total", "kind" => kind);
        Self { places: Semaphore::new(limits.at_once), waiting: AtomicUsize::new(0), limits, in_flight, shed }
    }

    /// A place, at once or after some waiting; `None` when there is none.
    async fn enter(&self) -> Option<Place<'_>> {
        let permit = match self.places.try_acquire() {
            Ok(permit) => permit,
            Err(_) => self.wait().await?,
        };
        self.in_flight.increment(1.0);
        Some(Place { in_flight: &self.in_flight, _permit: permit })
    }

    async fn wait(&self) -> Option<SemaphorePermit<'_>> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        // Also when the client goes away.
        let _leaving = Leaving(&self.waiting);
        if before >= self.limits.waiting {
            return None;
        }
        timeout(self.limits.wait, self.places.acquire()).await.ok()?.ok()
    }
}

struct Leaving<'g>(&'g AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Place<'g> {
    in_flight: &'g Gauge,
    _permit: SemaphorePermit<'g>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.in_flight.decrement(1.0);
    }
}

/// Lets a request through the gate or refuses it.
pub(crate) async fn admit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let Some(_place) = gate.enter().await else {
        gate.shed.increment(1);
        let error = ServiceError::Unavailable("MikroCloud has more to do than it can: try again in a second".to_owned());
        let mut response = refusal(request.uri().path(), error);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        return response;
    };
    next.run(request).await
}

/// The largest body that is heard out before it is refused, in bytes, and for how long.
const DRAIN_LIMIT: u64 = 32 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a body whole before anything else happens, so that a client that sends slowly takes no place from others; refuses one that is too
/// large, whoever would read it.
pub(crate) async fn read_body(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let length = body.size_hint().lower();
    if length > MAX_BODY as u64 {
        hear_out(body, length).await;
        return too_large();
    }
    match to_bytes(body, MAX_BODY).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) if is_too_large(&error) => too_large(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn too_large() -> Response {
    let detail = format!("the body is larger than {} MiB: send less at once", MAX_BODY / (1024 * 1024));
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", detail).into_response()
}

/// Reads a body that is refused, up to a point: a client that is still sending when the connection is closed never sees the answer.
async fn hear_out(body: Body, length: u64) {
    if length <= DRAIN_LIMIT {
        let mut chunks = body.into_data_stream();
        let hearing = async { while let Some(Ok(_)) = chunks.next().await {} };
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, hearing).await;
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(at_once: usize, waiting: usize, wait: Duration) -> Gate {
        Gate::new("test", LoadLimits { at_once, waiting, wait, ..LoadLimits::default() })
    }

    #[tokio::test]
    async fn whoever_finds_no_place_and_no_room_to_wait_is_refused_at_once() {
        let gate = gate(1, 0, Duration::from_hours(1));
        let place = gate.enter().await;
        assert!(place.is_some());
        assert!(gate.enter().await.is_none());
        drop(place);
        assert!(gate.enter().await.is_some());
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_of_who_leaves() {
        let gate = gate(1, 1, Duration::from_hours(1));
        let place = gate.enter().await;
        let (waited, refused, ()) = tokio::join!(gate.enter(), gate.enter(), async { drop(place) });
        assert!(waited.is_some() && refused.is_none());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let gate = gate(1, 1, Duration::from_millis(1));
        let _place = gate.enter().await;
        assert!(gate.enter().await.is_none());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }
}
