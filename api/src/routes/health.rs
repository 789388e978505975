//! Health endpoints for machines.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Extensions, HeaderMap, StatusCode};
use serde_json::json;
use tokio::time::timeout;

use crate::problem::Problem;
use crate::state::MachineState;
use crate::{auth, client};

/// After how long an answer to the simplest question is slow.
const SLOW: Duration = Duration::from_millis(500);

/// Timeout of a health check.
const PATIENCE: Duration = Duration::from_secs(5);

/// The process runs.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The process can work: what it depends on answers. A dependency that is slow is named and stays in use: to turn clients away would not
/// make it faster.
pub async fn ready(State(state): State<MachineState>) -> Response {
    let (asked, answer) = (Instant::now(), timeout(PATIENCE, state.services.ready()).await);
    let database = Dependency::new(asked.elapsed(), matches!(answer, Ok(Ok(()))));
    if database.status != "ok" {
        let error = answer.ok().and_then(Result::err).map(|error| error.to_string());
        tracing::warn!(database.status, database.milliseconds, error, "the database is not as it should be");
    }
    let (status, code) = match database.status {
        "ok" => ("ready", StatusCode::OK),
        "slow" => ("degraded", StatusCode::OK),
        _ => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
    };
    let body = json!({"status": status, "database": database.status, "databaseMilliseconds": database.milliseconds});
    (code, Json(body)).into_response()
}

/// Health of a dependency of this process.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Dependency {
    status: &'static str,
    milliseconds: u64,
}

impl Dependency {
    fn new(took: Duration, answers: bool) -> Self {
        let status = match answers {
            false => "does not answer",
            true if took > SLOW => "slow",
            true => "ok",
        };
        Self { status, milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// Prometheus metrics: open to this machine, with a credential from elsewhere.
pub async fn metrics(State(state): State<MachineState>, extensions: Extensions, headers: HeaderMap) -> Result<String, Problem> {
    if !client::is_local(&extensions, &headers) {
        auth::required_actor(&state.services, &headers).await?;
    }
    state.services.record_gauges().await?;
    state.metrics.run_upkeep();
    Ok(state.metrics.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_dependency_is_told_from_one_that_is_gone() {
        for (milliseconds, answers, status) in [
            (1, true, "ok"),
            (500, true, "ok"),
            (501, true, "slow"),
            (1, false, "does not answer"),
            (5000, false, "does not answer"),
        ] {
            let took = Duration::from_millis(milliseconds);
            assert_eq!(Dependency::new(took, answers), Dependency { status, milliseconds });
        }
    }
}
