//! What machines ask about the server's health.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::MachineState;
use crate::auth;
use crate::problem::Problem;

/// The process runs.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The process can work: what it depends on answers.
pub async fn ready(State(state): State<MachineState>) -> Response {
    match state.services.ready().await {
        Ok(()) => Json(json!({"status": "ready", "database": "ok"})).into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable", "database": "does not answer"})))
                .into_response()
        }
    }
}

/// Prometheus metrics: open to this machine, with a credential from elsewhere.
pub async fn metrics(
    State(state): State<MachineState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<String, Problem> {
    // Behind a proxy every peer is local, and the header tells.
    let proxied = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
    if !peer.ip().is_loopback() || proxied {
        auth::required_actor(&state.services, &headers).await?;
    }
    state.services.record_gauges().await?;
    state.metrics.run_upkeep();
    Ok(state.metrics.render())
}
