//! Traffic: weights, labels, and where hosts lead.

use serde_json::{Value, json};

use super::{domain_of, list, revision_key};
use crate::azure::error::AzureError;
use crate::azure::id::Id;
use crate::azure::types::{CONTAINER_APP, text};
use crate::world::{Object, State};

const TRAFFIC: &str = "/properties/configuration/ingress/traffic";

/// Checks the traffic that a client wants: weights of 100 in all, revisions that exist, labels of a form and once each.
pub(super) fn check(state: &State, id: &Id, app: &Object, newest: &str) -> Result<(), AzureError> {
    let targets = list(&app.body, TRAFFIC);
    if targets.is_empty() {
        return Ok(());
    }
    let invalid = |message: String| Err(AzureError::invalid("ContainerAppInvalidIngressTraffic", message));
    let sum: i64 = targets.iter().filter_map(|target| target["weight"].as_i64()).sum();
    if sum != 100 {
        return invalid(format!("Traffic weights must add up to 100, and not to {sum}."));
    }
    let is_single = app.text("/properties/configuration/activeRevisionsMode").eq_ignore_ascii_case("single");
    let mut labels = Vec::new();
    for target in targets {
        let (revision, is_latest) = (text(target, "/revisionName"), target["latestRevision"] == json!(true));
        if revision.is_empty() != is_latest || (is_single && !is_latest) {
            return invalid("A target names a revision or has latestRevision, in single mode the latter.".to_owned());
        }
        let exists = is_latest || revision == newest || state.azure.contains(&revision_key(&id.key(), revision));
        if !exists {
            let message = format!("The following traffic revisions do not exist: {revision}.");
            return Err(AzureError::invalid("ContainerAppTrafficRevisionNotFound", message));
        }
        let label = text(target, "/label");
        if !label.is_empty() && (!is_label(label) || labels.contains(&label)) {
            return invalid(format!("The label '{label}' is not valid, or is given twice."));
        }
        labels.push(label);
    }
    Ok(())
}

fn is_label(label: &str) -> bool {
    label.len() <= 64
        && label.starts_with(|first: char| first.is_ascii_lowercase())
        && !label.ends_with('-')
        && !label.contains("--")
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// The newest revision that is ready, which takes the traffic of `latestRevision`.
fn latest_of(app: &Object) -> &str {
    if app.secret("ready").is_empty() { app.secret("latest") } else { app.secret("ready") }
}

fn revision_of<'a>(app: &'a Object, target: &'a Value) -> &'a str {
    if target["latestRevision"] == json!(true) { latest_of(app) } else { text(target, "/revisionName") }
}

/// Share of the traffic that a revision gets.
pub(super) fn weight_of(app: &Object, revision: &str) -> u64 {
    let targets = list(&app.body, TRAFFIC).iter().filter(|target| revision_of(app, target).eq_ignore_ascii_case(revision));
    targets.filter_map(|target| target["weight"].as_u64()).sum()
}

/// Revisions behind a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Keys of revisions with their weights, of the app with this key.
    Revisions { app: String, weights: Vec<(String, u64)> },
    /// Something is missing: a text for people.
    Broken(String),
}

/// The revisions that a host shows; `None` if it belongs to no app.
pub(crate) fn shown_by(state: &State, host: &str) -> Option<Shown> {
    let apps = state.azure.iter().filter(|(_, object)| object.kind == CONTAINER_APP.name);
    let (key, app, rest) = apps.into_iter().find_map(|(key, app)| {
        let name = host.strip_suffix(domain_of(state, app))?.strip_suffix('.')?;
        let rest = name.strip_prefix(app.text("/name"))?;
        (rest.is_empty() || rest.starts_with("--")).then_some((key, app, rest))
    })?;
    let name = app.text("/name");
    let ingress = app.body.pointer("/properties/configuration/ingress").cloned().unwrap_or_default();
    if ingress["external"] != json!(true) {
        return Some(Shown::Broken(format!(
            "the container app {name} takes no traffic from the internet: its ingress is not external"
        )));
    }
    let targets = list(&app.body, TRAFFIC);
    let weights = if let Some(label) = rest.strip_prefix("---") {
        let Some(target) = targets.iter().find(|target| text(target, "/label") == label) else {
            return Some(Shown::Broken(format!("the container app {name} has no label {label} in its traffic")));
        };
        vec![(revision_key(key, revision_of(app, target)), 100)]
    } else if rest.is_empty() {
        let weighted =
            targets.iter().map(|target| (revision_key(key, revision_of(app, target)), target["weight"].as_u64().unwrap_or(0)));
        weighted.filter(|(_, weight)| *weight > 0).collect()
    } else {
        vec![(revision_key(key, &format!("{name}{rest}")), 100)]
    };
    Some(Shown::Revisions { app: key.clone(), weights })
}
