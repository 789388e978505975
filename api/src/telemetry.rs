//! Request ids, traces and metrics of the HTTP server.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use domain::trace::TraceContext;
use http::HeaderValue;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tower_http::request_id::{MakeRequestId, RequestId};
use uuid::Uuid;

/// Installs the recorder of this process; its handle renders `/metrics`.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new().install_recorder()
}

/// Request ids that sort by time.
#[derive(Clone, Copy)]
pub(crate) struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        HeaderValue::from_str(&Uuid::now_v7().to_string()).ok().map(RequestId::new)
    }
}

/// Counts requests and measures how long they take, by route and status.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().to_string();
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::histogram!("mikrocloud_http_request_seconds", "route" => route.clone(), "method" => method.clone())
        .record(started.elapsed().as_secs_f64());
    metrics::counter!("mikrocloud_http_requests_total", "route" => route, "method" => method, "status" => status).increment(1);
    response
}

/// Goes on with the trace of the caller, or begins one; the jobs that follow from the request belong to it.
pub(crate) async fn trace(mut request: Request, next: Next) -> Response {
    let parent = request.headers().get("traceparent").and_then(|parent| parent.to_str().ok()?.parse().ok());
    let context = parent.unwrap_or_else(TraceContext::new);
    request.extensions_mut().insert(context);
    services::trace::within(context, next.run(request)).await
}

/// The span of a request: its log lines carry the request's id and trace.
pub(crate) fn span<B>(request: &http::Request<B>) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let trace = request.extensions().get::<TraceContext>().map(TraceContext::trace_id);
    tracing::info_span!(
        "http.request",
        http.method = %request.method(),
        http.path = request.uri().path(),
        request.id = id,
        trace.id = trace,
    )
}
