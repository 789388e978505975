//! Long-running operations in the style of AIP-151.

use serde_json::{Value, json};

use super::{Context, GoogleError, Outcome, artifact_registry, run};
use crate::http::Answer;
use crate::world::{Ending, Object};

/// Kind of an operation; what deployments leave does not count them.
pub(crate) const KIND: &str = "operation";

/// Subject of an operation.
pub(super) struct Work<'a> {
    /// Service, such as `run`.
    pub service: &'a str,
    /// Parent in the operation's name, such as `projects/p/locations/l`.
    pub parent: &'a str,
    /// Key of the thing that changes.
    pub target: &'a str,
    /// Type of the response, such as `google.cloud.run.v2.Service`.
    pub response_type: &'a str,
    pub metadata: Value,
}

/// Begins an operation that is done when its target's change is over; its response is the target.
pub(super) fn begin(context: &mut Context<'_>, work: Work<'_>) -> Answer {
    let last = context.state.google.get(work.target).map(|object| object.body.clone()).unwrap_or_default();
    let hidden = json!({"targets": [work.target], "type": work.response_type, "last": last});
    store(context, work.service, work.parent, hidden, work.metadata)
}

/// Begins an operation that is done when the changes of its targets are over, with a response that is known already.
pub(super) fn begin_with_response(
    context: &mut Context<'_>,
    service: &str,
    parent: &str,
    targets: &[String],
    response: &Value,
) -> Answer {
    let hidden = json!({"targets": targets, "response": response});
    store(context, service, parent, hidden, Value::Null)
}

fn store(context: &mut Context<'_>, service: &str, parent: &str, mut hidden: Value, metadata: Value) -> Answer {
    let id = uuid::Uuid::new_v4();
    let name = match service {
        "serviceusage" => format!("operations/acat.p2-{}", id.simple()),
        _ => format!("{parent}/operations/{id}"),
    };
    let mut body = json!({"name": name, "done": false});
    if !metadata.is_null() {
        body["metadata"] = metadata;
    }
    let kinds = targets(&hidden).filter_map(|target| context.state.google.get(target)).map(|object| object.kind.clone());
    let forgotten = kinds.collect::<Vec<_>>().iter().any(|kind| context.state.behaviours.of(kind).ending == Ending::Forget);
    hidden["forgotten"] = json!(forgotten);
    context.state.google.insert(format!("{service}/{name}"), Object::new(KIND, body.clone()).hiding(hidden));
    Answer::ok(&body)
}

fn targets(hidden: &Value) -> impl Iterator<Item = &str> {
    hidden.get("targets").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Answers a question about an operation, which counts as a question about its targets.
pub(super) fn get(context: &mut Context<'_>, service: &str) -> Outcome {
    let name = context.segments[1..].join("/");
    // Artifact Registry has no permission for its operations.
    if service != "artifactregistry" {
        context.need(&format!("{service}.operations.get"), &name)?;
    }
    let key = format!("{service}/{name}");
    let missing = || GoogleError::not_found(format!("Operation '{name}' was not found."));
    let operation = context.state.google.get(&key).filter(|object| object.kind == KIND).ok_or_else(missing)?;
    if operation.hidden["forgotten"] == json!(true) {
        return Err(missing());
    }
    if operation.body["done"] == json!(true) {
        return Ok(Answer::ok(&operation.body));
    }
    let hidden = operation.hidden.clone();
    let mut failure = Value::Null;
    let mut is_over = true;
    for target in targets(&hidden) {
        settle(context, target, true);
        if let Some(object) = context.state.google.get(target) {
            is_over &= object.phase.is_none();
            failure = object.hidden.get("failure").cloned().unwrap_or_default();
        }
    }
    let body =
        if is_over { finish(context, &key, &hidden, &failure) } else { context.state.google.get(&key).map(|o| o.body.clone()) };
    Ok(Answer::ok(&body.unwrap_or_default()))
}

fn finish(context: &mut Context<'_>, key: &str, hidden: &Value, failure: &Value) -> Option<Value> {
    let target = targets(hidden).next();
    let current = target.and_then(|target| context.state.google.get(target)).map(|object| object.body.clone());
    let response = match hidden.get("response") {
        Some(response) => response.clone(),
        None => response(hidden, current),
    };
    let operation = context.state.google.get_mut(key)?;
    operation.body["done"] = json!(true);
    if failure.is_null() {
        operation.body["response"] = response;
    } else {
        operation.body["error"] = failure.clone();
    }
    Some(operation.body.clone())
}

/// The target with its type; what was deleted as it was last, or nothing where the service says so.
fn response(hidden: &Value, current: Option<Value>) -> Value {
    let kind = hidden.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut body = match (kind, current) {
        ("google.protobuf.Empty", _) => json!({}),
        (_, Some(current)) => current,
        (_, None) => hidden.get("last").cloned().unwrap_or_default(),
    };
    body["@type"] = json!(format!("type.googleapis.com/{kind}"));
    body
}

/// Lets a change go on; `asked` counts this as a question.
pub(super) fn settle(context: &mut Context<'_>, key: &str, asked: bool) {
    let now = context.state.millis();
    let Some(object) = context.state.google.get_mut(key) else { return };
    let kind = object.kind.clone();
    let Some(phase) = object.phase.as_mut() else { return };
    let is_over = if asked { phase.poll(now) } else { phase.is_over(now) };
    if !is_over {
        return;
    }
    let phase = phase.clone();
    match kind.as_str() {
        run::SERVICE => run::settle_service(context, key, &phase),
        run::REVISION => run::settle_revision(context, key, &phase),
        artifact_registry::REPOSITORY => artifact_registry::settle(context, key, &phase),
        _ => {
            if let Some(object) = context.state.google.get_mut(key) {
                object.phase = None;
            }
        }
    }
}

/// The error that a change is to end with, as an operation carries it.
pub(super) fn failure_of(ending: &Ending) -> Option<Value> {
    match ending {
        Ending::Fail { code, message } => Some(json!({"code": code.parse().unwrap_or(13), "message": message})),
        Ending::Succeed | Ending::Forget => None,
    }
}
