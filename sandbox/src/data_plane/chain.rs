//! From a host to what it shows, link by link.

use http::StatusCode;
use rand::RngExt as _;
use serde_json::json;

use super::page::Broken;
use crate::azure;
use crate::google::member_has_role;
use crate::google::run::{Shown, shown_by};
use crate::world::State;

/// End of a chain: the key of what answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub key: String,
}

/// Follows the chain of a host.
pub(super) fn follow(state: &State, host: &str) -> (&'static str, Result<Found, Broken>) {
    if host.ends_with(".run.app") {
        return ("gcp cloud-run", cloud_run(state, host));
    }
    if host.ends_with(".azurecontainerapps.io") {
        return ("azure container-apps", container_app(state, host));
    }
    ("none", Err(Broken::unknown(host)))
}

fn container_app(state: &State, host: &str) -> Result<Found, Broken> {
    let (app, weights) = match azure::shown_by(state, host) {
        None => return Err(Broken::unknown(host)),
        Some(azure::Shown::Broken(message)) => return Err(Broken::new(message)),
        Some(azure::Shown::Revisions { app, weights }) => (app, weights),
    };
    let key =
        pick(&weights).ok_or_else(|| Broken::new(format!("the container app {} sends no traffic anywhere", short(&app))))?;
    let revision = state.azure.get(&key).ok_or_else(|| Broken::new(format!("the revision {} does not exist", short(&key))))?;
    if revision.body["properties"]["active"] != json!(true) {
        return Err(Broken::new(format!("the revision {} is not active", short(&key))));
    }
    let error = revision.text("/properties/provisioningError");
    if !error.is_empty() {
        return Err(Broken::new(format!("the revision {} could not be provisioned: {error}", short(&key))));
    }
    Ok(Found { key })
}

fn cloud_run(state: &State, host: &str) -> Result<Found, Broken> {
    let (service, weights) = match shown_by(state, host) {
        None => return Err(Broken::unknown(host)),
        Some(Shown::NoTag { service, tag }) => {
            let message = format!("the Cloud Run service {} has no tag {tag} in its traffic", short(&service));
            return Err(Broken { status: StatusCode::NOT_FOUND, message });
        }
        Some(Shown::Revisions { service, weights }) => (service, weights),
    };
    let name = short(&service);
    let body = state.google.get(&service).map(|object| &object.body).ok_or_else(|| Broken::unknown(host))?;
    if body["ingress"] != json!("INGRESS_TRAFFIC_ALL") {
        return Err(Broken::new(format!(
            "the Cloud Run service {name} takes no traffic from the internet: its ingress is {}",
            body["ingress"]
        )));
    }
    let is_open =
        body["invokerIamDisabled"] == json!(true) || member_has_role(state, &service, "allUsers", &["roles/run.invoker"]);
    if !is_open {
        return Err(Broken::forbidden(format!(
            "the Cloud Run service {name} checks its callers: set invokerIamDisabled, or give roles/run.invoker to allUsers"
        )));
    }
    let key = pick(&weights)
        .ok_or_else(|| Broken::new(format!("the Cloud Run service {name} sends no traffic to any revision yet")))?;
    let revision = state.google.get(&key).ok_or_else(|| Broken::new(format!("the revision {} is deleted", short(&key))))?;
    if crate::google::run::revision_state(&revision.body) != "CONDITION_SUCCEEDED" {
        return Err(Broken::new(format!("the revision {} is not ready", short(&key))));
    }
    Ok(Found { key })
}

/// One of several by weight.
fn pick(weights: &[(String, u64)]) -> Option<String> {
    let sum: u64 = weights.iter().map(|(_, weight)| weight).sum();
    if sum == 0 {
        return None;
    }
    let mut at = rand::rng().random_range(0..sum);
    for (key, weight) in weights {
        if at < *weight {
            return Some(key.clone());
        }
        at -= weight;
    }
    None
}

fn short(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
