//! Traffic: weights and tags.

use serde_json::{Value, json};

use super::{Place, address, condition, revision};
use crate::google::{Context, GoogleError};
use crate::world::{Object, State};

/// Longest tag and service name together.
const LONGEST_TAGGED: usize = 46;

/// Checks what a client wants: weights of 100 in all, tags of a form and once each.
pub(super) fn check(place: &Place, service: &Value) -> Result<(), GoogleError> {
    let targets = service["traffic"].as_array().cloned().unwrap_or_default();
    let sum: i64 = targets.iter().filter_map(|target| target["percent"].as_i64()).sum();
    if sum != 100 {
        return Err(GoogleError::invalid(format!("Violation in Service.traffic: the percentages sum up to {sum}, not to 100.")));
    }
    let mut tags = Vec::new();
    for target in &targets {
        let is_named = target["type"] == json!("TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION");
        if is_named == target["revision"].as_str().unwrap_or_default().is_empty() {
            return Err(GoogleError::invalid("Violation in Service.traffic: type and revision do not fit each other."));
        }
        let Some(tag) = target["tag"].as_str().filter(|tag| !tag.is_empty()) else { continue };
        let fits = tag.starts_with(|first: char| first.is_ascii_lowercase())
            && !tag.ends_with('-')
            && tag.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && tag.len() + place.service.len() <= LONGEST_TAGGED;
        if !fits || tags.contains(&tag) {
            return Err(GoogleError::invalid(format!(
                "Violation in Service.traffic.tag: '{tag}' must be a unique lowercase name, which has at most {LONGEST_TAGGED} \
                 characters together with the service's name."
            )));
        }
        tags.push(tag);
    }
    Ok(())
}

/// Result of sending traffic where a client wants it.
pub(super) enum Routed {
    /// A revision is not ready yet.
    Waiting,
    /// The traffic as it goes now.
    Done(Value),
    /// Code and message of the error.
    Refused(i32, String),
}

/// Sends traffic where the service's specification wants it.
pub(super) fn route(context: &Context<'_>, place: &Place, service: &Object) -> Routed {
    let mut statuses = Vec::new();
    for target in service.body["traffic"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let mut status = target.clone();
        let name = match target["revision"].as_str().filter(|name| !name.is_empty()) {
            Some(name) => name.to_owned(),
            None => service.text("/latestReadyRevision").rsplit('/').next().unwrap_or_default().to_owned(),
        };
        let Some(revision) = context.state.google.get(&revision::key(place, &name)).filter(|revision| revision.phase.is_none())
        else {
            let message = format!(
                "Revision '{name}' does not exist or is deleted. Update all traffic to route to currently available revisions."
            );
            return Routed::Refused(13, message);
        };
        match condition::ready_state(&revision.body["conditions"]) {
            "CONDITION_SUCCEEDED" => {}
            "CONDITION_FAILED" => return Routed::Refused(9, format!("Revision '{name}' is not ready and cannot serve traffic.")),
            _ => return Routed::Waiting,
        }
        if let Some(tag) = target["tag"].as_str().filter(|tag| !tag.is_empty()) {
            status["uri"] = json!(format!("https://{}", address::tagged_host(place, tag)));
        }
        // A target of type LATEST names no revision in its status either.
        statuses.push(status);
    }
    Routed::Done(json!(statuses))
}

/// Revisions behind a host.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shown {
    /// Keys of revisions with their weights, of the service with this key.
    Revisions { service: String, weights: Vec<(String, u64)> },
    /// The service has no such tag.
    NoTag { service: String, tag: String },
}

/// The revisions that a host shows; `None` if it belongs to no service.
pub(crate) fn shown_by(state: &State, host: &str) -> Option<Shown> {
    let (tag, name) = match host.split_once("---") {
        Some((tag, name)) => (Some(tag), name),
        None => (None, host),
    };
    let services = state.google.iter().filter(|(_, object)| object.kind == super::SERVICE);
    let (key, service) = services.into_iter().find(|(key, _)| {
        Place::of_key(key).is_some_and(|place| address::host(&place) == name || address::second_host(&place) == name)
    })?;
    let statuses = service.body["trafficStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let revision = |status: &Value| {
        let name = status["revision"].as_str().filter(|name| !name.is_empty());
        let latest = service.text("/latestReadyRevision").rsplit('/').next().unwrap_or_default();
        format!("{key}/revisions/{}", name.unwrap_or(latest))
    };
    let weights = match tag {
        None => statuses
            .iter()
            .map(|status| (revision(status), status["percent"].as_u64().unwrap_or(0)))
            .filter(|(_, weight)| *weight > 0)
            .collect(),
        Some(tag) => {
            let Some(status) = statuses.iter().find(|status| status["tag"].as_str() == Some(tag)) else {
                return Some(Shown::NoTag { service: key.clone(), tag: tag.to_owned() });
            };
            vec![(revision(status), 100)]
        }
    };
    Some(Shown::Revisions { service: key.clone(), weights })
}
