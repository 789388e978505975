//! Conditions of services and revisions.

use serde_json::{Value, json};

/// A condition that holds.
pub(super) fn succeeded(kind: &str, stamp: &str) -> Value {
    json!({"type": kind, "state": "CONDITION_SUCCEEDED", "lastTransitionTime": stamp})
}

/// A condition that is being brought about.
pub(super) fn reconciling(kind: &str, message: &str, stamp: &str) -> Value {
    json!({"type": kind, "state": "CONDITION_RECONCILING", "message": message, "lastTransitionTime": stamp})
}

/// A condition that will not hold.
pub(super) fn failed(kind: &str, message: &str, stamp: &str) -> Value {
    json!({"type": kind, "state": "CONDITION_FAILED", "message": message, "severity": "ERROR", "lastTransitionTime": stamp})
}

/// State of the condition `Ready` among those of a revision.
pub(super) fn ready_state(conditions: &Value) -> &str {
    let conditions = conditions.as_array().map(Vec::as_slice).unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition["type"] == json!("Ready"));
    ready.and_then(|condition| condition["state"].as_str()).unwrap_or("CONDITION_RECONCILING")
}
