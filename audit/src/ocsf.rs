//! Entries as events of the Open Cybersecurity Schema Framework, version 1.3.0: class API Activity (6003), which takes every action
//! that goes through an API.

use domain::artifact::Digest;
use serde_json::{Map, Value, json};

use crate::{Activity, AuditOutcome, Entry};

/// The version of the schema.
pub const OCSF_VERSION: &str = "1.3.0";

const CATEGORY: u64 = 6;
const CLASS: u64 = 6003;

/// An entry as an event, on one line.
pub fn event(entry: &Entry, hash: &Digest) -> Value {
    let (activity_id, activity) = activity(entry);
    let denied = entry.outcome == AuditOutcome::Denied;
    let mut event = json!({
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": CATEGORY,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "API Activity",
        "type_uid": CLASS * 100 + activity_id,
        "type_name": format!("API Activity: {activity}"),
        "severity_id": if denied { 3 } else { 1 },
        "severity": if denied { "Medium" } else { "Informational" },
        "status_id": if denied { 2 } else { 1 },
        "status": if denied { "Failure" } else { "Success" },
        "time": entry.at.timestamp_millis(),
        "message": message(entry),
        "metadata": metadata(entry),
        "actor": actor(entry),
        "api": {"operation": entry.action, "service": {"name": "MikroCloud"}, "request": {"uid": entry.origin.request.as_deref().unwrap_or_default()}},
        "src_endpoint": endpoint(entry),
        "unmapped": unmapped(entry, hash),
    });
    if let Some(target) = &entry.target {
        event["resources"] = json!([present([
            ("uid", Some(json!(target.id))),
            ("name", target.name.as_ref().map(|name| json!(name))),
            ("type", Some(json!(target.kind))),
        ])]);
    }
    if let Some(agent) = &entry.origin.agent {
        event["http_request"] = json!({"user_agent": agent});
    }
    event
}

fn activity(entry: &Entry) -> (u64, &'static str) {
    match entry.known_action().map(crate::Action::activity) {
        Some(Activity::Create) => (1, "Create"),
        Some(Activity::Read) => (2, "Read"),
        Some(Activity::Update) => (3, "Update"),
        Some(Activity::Delete) => (4, "Delete"),
        None => (99, "Other"),
    }
}

fn message(entry: &Entry) -> String {
    let who = entry.actor.email.as_deref().or(entry.actor.name.as_deref()).unwrap_or("MikroCloud");
    let what = entry.target.as_ref().map(|target| format!(" on {} {}", target.kind, target.name.as_ref().unwrap_or(&target.id)));
    let refused = if entry.outcome == AuditOutcome::Denied { " (denied)" } else { "" };
    format!("{who}: {}{}{refused}", entry.action, what.unwrap_or_default())
}

fn metadata(entry: &Entry) -> Value {
    present([
        ("version", Some(json!(OCSF_VERSION))),
        ("product", Some(json!({"name": "MikroCloud", "vendor_name": "MikroCloud"}))),
        ("log_name", Some(json!("audit"))),
        ("uid", Some(json!(format!("{}:{}", entry.team, entry.sequence)))),
        ("sequence", Some(json!(entry.sequence))),
        ("tenant_uid", Some(json!(entry.team.to_string()))),
        ("original_time", Some(json!(entry.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)))),
        ("correlation_uid", entry.origin.request.as_ref().map(|id| json!(id))),
    ])
}

fn actor(entry: &Entry) -> Value {
    let who = &entry.actor;
    // What did it without a user is MikroCloud itself.
    let Some(user) = who.user else { return json!({"app_name": "MikroCloud"}) };
    let user = present([
        ("uid", Some(json!(user.to_string()))),
        ("name", who.name.as_ref().map(|name| json!(name))),
        ("email_addr", who.email.as_ref().map(|email| json!(email))),
    ]);
    let session = who.credential.as_ref().filter(|shown| shown.kind == "session").map(|shown| json!({"uid": shown.id}));
    present([("user", Some(user)), ("session", session)])
}

fn endpoint(entry: &Entry) -> Value {
    match &entry.origin.address {
        Some(address) => json!({"ip": address}),
        None => json!({"name": "MikroCloud"}),
    }
}

fn unmapped(entry: &Entry, hash: &Digest) -> Value {
    present([
        ("hash", Some(json!(hash))),
        ("credential", entry.actor.credential.as_ref().map(|shown| json!(shown))),
        ("answerable", entry.actor.answerable.map(|user| json!(user.to_string()))),
        ("before", entry.before.clone()),
        ("after", entry.after.clone()),
        ("details", (!entry.details.is_empty()).then(|| json!(entry.details))),
    ])
}

/// The members that are there.
fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}
