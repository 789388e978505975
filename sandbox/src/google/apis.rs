//! APIs that are enabled in projects.

use serde_json::json;

use super::error::GoogleError;
use super::region::project_number;
use crate::world::{Object, State};

/// Kind of an enabled API; what deployments leave does not count them.
pub(crate) const KIND: &str = "serviceusage.services";

/// APIs that are enabled in a new project, by Google's documentation of Service Usage.
const DEFAULTS: [&str; 10] = [
    "bigquery.googleapis.com",
    "cloudapis.googleapis.com",
    "cloudtrace.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "servicemanagement.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
    "storage-api.googleapis.com",
    "storage-component.googleapis.com",
];

/// APIs that the sandbox knows, with their titles.
const TITLES: [(&str, &str); 7] = [
    ("run.googleapis.com", "Cloud Run Admin API"),
    ("secretmanager.googleapis.com", "Secret Manager API"),
    ("artifactregistry.googleapis.com", "Artifact Registry API"),
    ("cloudresourcemanager.googleapis.com", "Cloud Resource Manager API"),
    ("iam.googleapis.com", "Identity and Access Management (IAM) API"),
    ("storage.googleapis.com", "Cloud Storage API"),
    ("serviceusage.googleapis.com", "Service Usage API"),
];

fn key(project: &str, api: &str) -> String {
    format!("serviceusage/projects/{project}/services/{api}")
}

/// Returns true if an API is enabled.
pub(crate) fn is_enabled(state: &State, project: &str, api: &str) -> bool {
    match state.google.get(&key(project, api)) {
        Some(object) => object.phase.is_none() && object.text("/state") == "ENABLED",
        None => DEFAULTS.contains(&api),
    }
}

/// Checks that an API is enabled.
pub(super) fn need(state: &State, project: &str, api: &str) -> Result<(), GoogleError> {
    if is_enabled(state, project, api) {
        return Ok(());
    }
    Err(GoogleError::disabled(api, title(api), project, &project_number(project)))
}

/// The title of an API.
pub(super) fn title(api: &str) -> &str {
    TITLES.iter().find(|(name, _)| *name == api).map_or(api, |(_, title)| *title)
}

/// The API as Service Usage describes it.
pub(super) fn describe(state: &State, project: &str, api: &str) -> serde_json::Value {
    let number = project_number(project);
    json!({
        "name": format!("projects/{number}/services/{api}"),
        "parent": format!("projects/{number}"),
        "config": {"name": api, "title": title(api)},
        "state": if is_enabled(state, project, api) { "ENABLED" } else { "DISABLED" },
    })
}

/// Puts an API into the wanted state; returns its key.
pub(super) fn put(state: &mut State, project: &str, api: &str, wanted: &str) -> String {
    let key = key(project, api);
    state.google.insert(key.clone(), Object::new(KIND, json!({"name": api, "state": wanted})));
    key
}
