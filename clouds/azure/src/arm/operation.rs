use std::time::Duration;

use clouds_contract::guard::Call;
use clouds_contract::{Asked, CloudError, ErrorKind, Followed, Operation, Wait};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Arm;
use super::client::{Answer, retry_after};
use crate::classify::{Problem, failed};

/// Pause between two looks when Azure names none.
const USUAL_PAUSE: Duration = Duration::from_secs(5);

/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A change that Azure took on, from its answer (learn.microsoft.com, "Track asynchronous Azure operations"): an operation of its own, a
/// location to look at, or the thing's own state.
pub fn asked(arm: &Arm, answer: &Answer) -> Asked {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let operation = match (header("azure-asyncoperation"), header("location")) {
        (Some(url), _) => Some(Operation(json!({"style": "operation", "url": url}))),
        (None, Some(url)) if answer.status == StatusCode::ACCEPTED => Some(Operation(json!({"style": "location", "url": url}))),
        _ => None,
    };
    let id = answer.body["id"].as_str().map(str::to_owned);
    let pause = if operation.is_some() { pause(arm, answer) } else { Duration::ZERO };
    Asked { id, operation, retry_after: pause }
}

/// Asks how an operation goes on.
pub async fn follow(arm: &Arm, operation: &Operation, title: &str) -> Result<Followed, CloudError> {
    let Some(url) = operation.0["url"].as_str() else { return Ok(Followed::Unknown) };
    let answer = match arm.send(Call::freely("operations", "get"), Method::GET, url, "", None).await {
        Ok(answer) => answer,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Followed::Unknown),
        Err(error) => return Err(error),
    };
    let running =
        || Followed::Running(Wait { detail: format!("Azure to be done with {title}"), retry_after: pause(arm, &answer) });
    if operation.0["style"] == "location" {
        return Ok(if answer.status == StatusCode::ACCEPTED { running() } else { Followed::Done });
    }
    Ok(match answer.body["status"].as_str().unwrap_or_default() {
        "Succeeded" => Followed::Done,
        "Failed" | "Canceled" | "Cancelled" => Followed::Failed(failed(&problem(&answer.body))),
        _ => running(),
    })
}

fn problem(body: &Value) -> Problem {
    serde_json::from_value(body["error"].clone()).unwrap_or_default()
}

/// Pause before the next look, shortened where Azure is simulated.
fn pause(arm: &Arm, answer: &Answer) -> Duration {
    arm.wire().pace(retry_after(&answer.headers).unwrap_or(USUAL_PAUSE).min(LONGEST_PAUSE))
}
