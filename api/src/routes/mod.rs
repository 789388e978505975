//! The routes of the API.

mod auth;
mod graphql;
mod health;
mod input;
mod not_found;
mod notifications;
mod operations;
mod webhooks;
mod websocket;

pub(crate) use self::not_found::not_found;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware;
use axum::routing::{get, post};
use http::{HeaderName, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::browser::refuse_other_sites;
use crate::cors;
use crate::dashboard;
use crate::limit::limit;
use crate::load::{Gate, LoadLimits, admit, read_body};
use crate::problem::dress;
use crate::rest;
use crate::security_headers::{SecurityHeaders, secure};
use crate::state::{ApiState, MachineState, TIMEOUT};
use crate::telemetry::{NewRequestId, measure, span, trace};

/// Maximum number of concurrent uploads.
const UPLOADS: usize = 64;

/// Maximum number of webhooks that are received concurrently.
const WEBHOOKS: usize = 32;

/// Builds the routes with which machines query a process, whatever its role.
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

/// The router of the API, which takes on as much at once as the limits say.
pub(crate) fn router(state: ApiState, load: LoadLimits) -> Router {
    let gate = |kind, limits| middleware::from_fn_with_state(Arc::new(Gate::new(kind, limits)), admit);
    let limit = || middleware::from_fn_with_state(state.clone(), limit);
    let request_id = HeaderName::from_static("x-request-id");
    let rest = rest::routes(&state);
    // Where the cookie of a browser counts, what another site asks for in its name is refused.
    let visited = Router::new()
        .route("/auth/sign-in", get(auth::sign_in_page).post(auth::sign_in))
        .route("/auth/second-factor", post(auth::second_factor))
        .route("/auth/access", post(auth::access))
        .route("/auth/refresh", post(auth::refresh))
        .route("/auth/sign-out", post(auth::sign_out))
        .route("/auth/sign-out-everywhere", post(auth::account::sign_out_everywhere))
        .route("/auth/account", get(auth::account::page))
        .route("/auth/link", get(auth::link_page).post(auth::use_link))
        .route("/auth/invitation", get(auth::invitation::page).post(auth::invitation::reply))
        .route("/auth/device/code", post(auth::device::begin))
        .route("/auth/device", get(auth::device::page).post(auth::device::decide))
        .route("/auth/token", post(auth::device::token))
        .route("/auth/providers", get(auth::provider::list))
        .route("/auth/providers/{name}", get(auth::provider::start))
        .route("/auth/providers/{name}/callback", get(auth::provider::callback))
        .route("/auth/link-account", get(auth::provider::question).post(auth::provider::consent))
        .route("/notifications", get(notifications::teams))
        .route("/teams/{team}/notifications", get(notifications::channels))
        .route("/teams/{team}/notifications/{channel}", get(notifications::channel))
        .route("/teams/{team}/notifications/{channel}/enable", post(notifications::enable))
        .route("/teams/{team}/notifications/{channel}/replay", post(notifications::replay_failed))
        .route("/teams/{team}/notifications/{channel}/{delivery}", get(notifications::delivery))
        .route("/teams/{team}/notifications/{channel}/{delivery}/replay", post(notifications::replay))
        .layer(middleware::from_fn_with_state(state.clone(), refuse_other_sites));
    let quick = Router::new()
        .route("/graphql", get(graphql::about).post(graphql::execute))
        .route("/.well-known/jwks.json", get(auth::key_set))
        .merge(visited)
        .merge(rest.quick)
        .layer((
            TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT),
            middleware::from_fn(read_body),
            gate("request", load),
            limit(),
        ));
    // No timeout: what is followed takes as long as it takes. A place is held only until the stream begins.
    let streams = rest.streams.layer((middleware::from_fn(read_body), gate("stream", load), limit()));
    let uploads =
        rest.uploads.layer((DefaultBodyLimit::disable(), gate("upload", LoadLimits { at_once: UPLOADS, ..load }), limit()));
    let told = Router::new()
        .route("/webhooks/github", post(webhooks::github_app))
        .route("/webhooks/github/{connection}", post(webhooks::github))
        .route("/webhooks/gitlab/{connection}", post(webhooks::gitlab))
        .layer((
            TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT),
            DefaultBodyLimit::max(webhooks::MAX_BODY),
            gate("webhook", LoadLimits { at_once: WEBHOOKS, ..load }),
        ));
    let subscriptions = Router::new().route("/graphql/ws", get(graphql::subscribe)).layer(limit());
    // Files of the dashboard stand outside of the limits: a page asks for a dozen, and reads nothing but memory.
    let dashboard = Router::new().route("/", get(dashboard::front)).route("/assets/{*file}", get(dashboard::asset));
    let watching = health_routes().layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT));
    Router::new()
        .merge(quick)
        .merge(streams)
        .merge(uploads)
        .merge(told)
        .merge(subscriptions)
        .merge(dashboard)
        .merge(watching)
        .fallback(dashboard::other)
        // The first is the outermost. Together they cost each request one box; one by one they would cost it nine.
        .layer((
            SetRequestIdLayer::new(request_id.clone(), NewRequestId),
            middleware::from_fn(trace),
            TraceLayer::new_for_http().make_span_with(span),
            PropagateRequestIdLayer::new(request_id),
            middleware::from_fn_with_state(SecurityHeaders::new(&state.public), secure),
            cors::layer(&state.allowed_origins),
            middleware::from_fn(dress),
            CatchPanicLayer::new(),
            middleware::from_fn(measure),
        ))
        .with_state(state)
}
