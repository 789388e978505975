//! Brings apps and their revisions to the state that was asked for.

use serde_json::{Value, json};

use super::needs::check_images;
use super::revision::{keys, min_replicas, prune};
use super::{REVISION, revision_key, traffic};
use crate::azure::Context;
use crate::azure::kind::Settled;
use crate::data_plane::Runtime;

/// Lets the change of an app go on after its time is over: its newest revision has to be one that can run.
pub(in crate::azure) fn settle(context: &mut Context<'_>, key: &str) -> Settled {
    let Some(app) = context.state.azure.get(key).cloned() else { return Settled::Done };
    let latest = revision_key(key, app.secret("latest"));
    let Some(revision) = context.state.azure.get(&latest).cloned() else { return Settled::Done };
    settle_revision(context, &latest);
    if let Err(error) = check_images(context.state, &app, &revision) {
        let message = format!(
            "Failed to provision revision for container app '{}'. Error details: The following field(s) are either invalid or missing. {error}.",
            app.text("/name")
        );
        return Settled::Failed("ContainerAppOperationError".to_owned(), message);
    }
    if app.text("/properties/configuration/activeRevisionsMode") == "Single" {
        deactivate_others(context, key, &latest);
    }
    prune(context, key);
    Settled::Done
}

/// In single mode the newest revision replaces the others once it is ready.
fn deactivate_others(context: &mut Context<'_>, app: &str, latest: &str) {
    let is_ready =
        context.state.azure.get(latest).is_some_and(|revision| revision.text("/properties/provisioningState") == "Provisioned");
    for key in keys(context, app).into_iter().filter(|key| is_ready && key != latest) {
        if context.state.azure.get(&key).is_some_and(|revision| revision.body["properties"]["active"] == json!(true))
            && let Some(revision) = context.state.azure.get_mut(&key)
        {
            revision.body["properties"]["active"] = json!(false);
        }
    }
}

/// State of a revision, as its properties tell it.
struct State {
    provisioning: &'static str,
    running: &'static str,
    health: &'static str,
    error: Option<String>,
}

/// Writes down the state of a revision.
pub(in crate::azure) fn settle_revision(context: &mut Context<'_>, key: &str) -> Settled {
    let Some((app_key, _)) = key.split_once("/revisions/") else { return Settled::Done };
    let revision = context.state.azure.get(key).filter(|revision| revision.kind == REVISION).cloned();
    let (Some(revision), Some(app)) = (revision, context.state.azure.get(app_key).cloned()) else { return Settled::Done };
    let weight = traffic::weight_of(&app, revision.text("/name"));
    let is_active = revision.body["properties"]["active"] == json!(true);
    let rests = min_replicas(&revision) == 0 && weight == 0;
    let state = match (is_active, check_images(context.state, &app, &revision)) {
        (false, _) => State { provisioning: "Provisioned", running: "Stopped", health: "None", error: None },
        (true, Err(error)) => failed(error),
        (true, Ok(())) => match context.runtimes.of(key) {
            Runtime::Starting => State { provisioning: "Provisioning", running: "Processing", health: "None", error: None },
            Runtime::Failed(error) => failed(error),
            Runtime::Ready | Runtime::NotRun(_) => State {
                provisioning: "Provisioned",
                running: if rests { "ScaledToZero" } else { "Running" },
                health: "Healthy",
                error: None,
            },
        },
    };
    let replicas = u64::from(state.running == "Running");
    let mut properties = revision.body["properties"].clone();
    let fields = [
        ("provisioningState", json!(state.provisioning)),
        ("runningState", json!(state.running)),
        ("healthState", json!(state.health)),
        ("provisioningError", json!(state.error)),
        ("trafficWeight", json!(weight)),
        ("replicas", json!(replicas)),
    ];
    for (field, value) in fields {
        if value.is_null() {
            properties.as_object_mut().map(|properties| properties.remove(field));
        } else {
            properties[field] = value;
        }
    }
    write(context, key, app_key, properties, state.provisioning == "Provisioned" && is_active);
    Settled::Done
}

fn failed(error: String) -> State {
    State { provisioning: "Failed", running: "Failed", health: "Unhealthy", error: Some(error) }
}

/// Stores what changed only, so that nobody follows a world that stayed the same.
fn write(context: &mut Context<'_>, key: &str, app_key: &str, properties: Value, is_ready: bool) {
    let is_same = context.state.azure.get(key).is_some_and(|revision| revision.body["properties"] == properties);
    if !is_same && let Some(revision) = context.state.azure.get_mut(key) {
        revision.body["properties"] = properties;
    }
    let Some(app) = context.state.azure.get(app_key) else { return };
    let name = key.rsplit('/').next().unwrap_or_default();
    let is_latest = app.secret("latest").eq_ignore_ascii_case(name);
    let is_told = app.text("/properties/latestReadyRevisionName").eq_ignore_ascii_case(name);
    if is_ready
        && is_latest
        && !is_told
        && let Some(app) = context.state.azure.get_mut(app_key)
    {
        app.hidden["ready"] = json!(name);
        app.body["properties"]["latestReadyRevisionName"] = json!(name);
    }
}
