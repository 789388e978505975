//! The routes of the API.

mod auth;
mod graphql;
mod health;
mod uploads;
mod websocket;
mod welcome;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use schema::ApiSchema;
use services::Services;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::telemetry::{NewRequestId, measure, span};

/// The largest request body apart from uploads, in bytes.
const MAX_BODY: usize = 2 * 1024 * 1024;
/// The largest body that is heard out before it is refused, in bytes, and for how long.
const HEARD_OUT: usize = 16 * MAX_BODY;
const HEARING: Duration = Duration::from_secs(10);
/// How long an answer may take apart from uploads and subscriptions.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What the routes of every process work with.
#[derive(Clone)]
pub(crate) struct MachineState {
    pub services: Services,
    pub metrics: PrometheusHandle,
}

/// What the routes of the API work with.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub machine: MachineState,
    pub schema: ApiSchema,
}

impl FromRef<ApiState> for MachineState {
    fn from_ref(state: &ApiState) -> Self {
        state.machine.clone()
    }
}

impl FromRef<ApiState> for Services {
    fn from_ref(state: &ApiState) -> Self {
        state.machine.services.clone()
    }
}

/// What machines ask about a process, whatever its role.
pub(crate) fn machine_router(state: MachineState) -> Router {
    Router::new().merge(health_routes()).with_state(state)
}

fn health_routes<S>() -> Router<S>
where
    MachineState: FromRef<S>,
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
}

/// The router of the API.
pub(crate) fn router(state: ApiState) -> Router {
    let request_id = HeaderName::from_static("x-request-id");
    let quick = Router::new()
        .route("/", get(welcome::page))
        .route("/graphql", get(graphql::graphiql).post(graphql::execute))
        .route("/auth/sign-in", post(auth::sign_in))
        .route("/auth/refresh", post(auth::refresh))
        .route("/auth/sign-out", post(auth::sign_out))
        .route("/auth/link", get(auth::link_page).post(auth::use_link))
        .merge(health_routes())
        // Counts what is read, whoever reads it: the GraphQL extractor asks nobody.
        .layer((
            TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT),
            DefaultBodyLimit::max(MAX_BODY),
            RequestBodyLimitLayer::new(MAX_BODY),
        ))
        .layer(middleware::from_fn(refuse_large));
    let long = Router::new()
        .route("/graphql/ws", get(graphql::subscribe))
        .route("/api/v1/uploads", post(uploads::upload).layer(DefaultBodyLimit::disable()));
    Router::new()
        .merge(quick)
        .merge(long)
        .fallback(welcome::not_found)
        // The first is the outermost. Together they cost each request one box; one by one they would cost it nine.
        .layer((
            SetRequestIdLayer::new(request_id.clone(), NewRequestId),
            TraceLayer::new_for_http().make_span_with(span),
            PropagateRequestIdLayer::new(request_id),
            header(
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
            ),
            header(REFERRER_POLICY, "no-referrer"),
            header(X_FRAME_OPTIONS, "DENY"),
            header(X_CONTENT_TYPE_OPTIONS, "nosniff"),
            CatchPanicLayer::new(),
            middleware::from_fn(measure),
        ))
        .with_state(state)
}

/// Refuses a body that says that it is too large. It is heard out first, up to a point: a client that is still sending when the
/// connection is closed never sees the answer.
async fn refuse_large(request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let Some(length) = length.filter(|length| *length > MAX_BODY) else { return next.run(request).await };
    if length <= HEARD_OUT {
        let mut body = request.into_body().into_data_stream();
        let hearing = async { while let Some(Ok(_)) = body.next().await {} };
        let _ = tokio::time::timeout(HEARING, hearing).await;
    }
    (StatusCode::PAYLOAD_TOO_LARGE, format!("the request's body may have {MAX_BODY} bytes\n")).into_response()
}

/// Sets a header unless the route set it itself.
fn header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
