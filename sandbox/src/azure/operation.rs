//! Long-running operations, in the two styles of the resource manager.

use http::StatusCode;
use serde_json::{Value, json};

use super::arm;
use super::error::AzureError;
use super::id::Id;
use super::kind::{Change, Style};
use super::{Context, Outcome};
use crate::http::Answer;
use crate::world::{Ending, Object};

/// Kind of an operation; what deployments leave does not count them.
pub(super) const KIND: &str = "operation";

/// Seconds that clients are told to wait between two questions.
const RETRY_AFTER: u64 = 1;

fn key(id: &str) -> String {
    format!("operation/{id}")
}

/// The answer to a change: at once, or with the address of an operation.
pub(super) fn begin(context: &mut Context<'_>, change: Change, target: &str, location: &str, body: &Value) -> Answer {
    let status = StatusCode::from_u16(change.status).unwrap_or(StatusCode::OK);
    let answer = if change.body { Answer::json(status, body) } else { Answer::empty(status) };
    if change.style == Style::Now {
        return answer;
    }
    let (id, object) = (uuid::Uuid::new_v4().to_string(), context.state.azure.get(target));
    let kind = object.map(|object| object.kind.clone()).unwrap_or_default();
    let deletes = object.is_some_and(|object| object.phase.as_ref().is_some_and(|phase| phase.to == "gone"));
    let hidden = json!({
        "target": target, "deletes": deletes, "forgotten": context.state.behaviours.of(&kind).ending == Ending::Forget,
    });
    let (subscription, namespace) = place(target, &kind);
    let style = if change.style == Style::Async { "operationStatuses" } else { "operationResults" };
    let location = if location.is_empty() { "westeurope" } else { location };
    let path = format!("/subscriptions/{subscription}/providers/{namespace}/locations/{location}/{style}/{id}");
    let stored = json!({"id": path, "name": id, "status": "InProgress", "startTime": context.state.stamp()});
    context.state.azure.insert(key(&id), Object::new(KIND, stored).hiding(hidden));
    let address = format!("{}{path}?api-version={}", context.call.base(), context.version);
    let header = if change.style == Style::Async { "azure-asyncoperation" } else { "location" };
    answer.with(header, &address).retry_after(RETRY_AFTER)
}

fn place(target: &str, kind: &str) -> (String, String) {
    let subscription = target.split('/').nth(2).unwrap_or_default().to_owned();
    let namespace = kind.split('/').next().unwrap_or("Microsoft.Resources").to_owned();
    (subscription, namespace)
}

/// Answers a question about an operation, which counts as a question about its target.
pub(super) fn poll(context: &mut Context<'_>, style: &str, id: &str) -> Outcome {
    let missing = || AzureError::not_found("OperationNotFound", format!("The operation '{id}' was not found."));
    let operation = context.state.azure.get(&key(id)).filter(|object| object.kind == KIND).ok_or_else(missing)?;
    if operation.hidden["forgotten"] == json!(true) {
        return Err(missing());
    }
    let (target, deletes) = (operation.secret("target").to_owned(), operation.hidden["deletes"] == json!(true));
    if operation.text("/status") == "InProgress" {
        arm::settle(context, &target, true);
        conclude(context, id, &target);
    }
    let body = context.state.azure.get(&key(id)).map(|operation| operation.body.clone()).unwrap_or_default();
    if style == "operationstatuses" {
        let answer = Answer::ok(&body);
        return Ok(if body["status"] == json!("InProgress") { answer.retry_after(RETRY_AFTER) } else { answer });
    }
    let error = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
    match body["status"].as_str() {
        Some("InProgress") => {
            let address = format!("{}{}?{}", context.call.base(), context.call.path(), context.call.raw_query);
            Ok(Answer::empty(StatusCode::ACCEPTED).with("location", &address).retry_after(RETRY_AFTER))
        }
        Some("Failed") => Err(AzureError::conflict(&error("code"), error("message"))),
        _ if deletes => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        _ => Ok(Answer::ok(&context.state.azure.get(&target).map(|object| object.body.clone()).unwrap_or_default())),
    }
}

/// Writes down how an operation ended, if its target's change is over.
fn conclude(context: &mut Context<'_>, id: &str, target: &str) {
    let object = context.state.azure.get(target);
    if object.is_some_and(|object| object.phase.is_some()) {
        return;
    }
    let failure = object.and_then(|object| object.hidden.get("failure")).cloned().unwrap_or_default();
    let stamp = context.state.stamp();
    if let Some(operation) = context.state.azure.get_mut(&key(id)) {
        operation.body["endTime"] = json!(stamp);
        operation.body["status"] = json!(if failure.is_null() { "Succeeded" } else { "Failed" });
        if !failure.is_null() {
            operation.body["error"] = failure;
        }
    }
}

/// The location of a resource, as operations have it in their addresses.
pub(super) fn location_of(object: &Value) -> String {
    let location = object.get("location").and_then(Value::as_str).unwrap_or_default();
    location.to_ascii_lowercase().replace(' ', "")
}

/// The namespace of a path, for messages.
pub(super) fn group_of(id: &Id) -> &str {
    id.group.as_deref().unwrap_or_default()
}
