//! Brings services and revisions to the state that was asked for.

use serde_json::{Value, json};

use super::check::{Checked, check};
use super::traffic::{Routed, route};
use super::{Place, condition, revision, service};
use crate::google::{Context, operation};
use crate::world::Phase;

/// Lets the change of a service go on after its time is over: it is ready once its revisions are.
pub(crate) fn settle_service(context: &mut Context<'_>, key: &str, phase: &Phase) {
    let Some(place) = Place::of_key(key) else { return };
    if let Some(failure) = operation::failure_of(&phase.ending) {
        let message = failure["message"].as_str().unwrap_or_default().to_owned();
        fail(context, key, &failure, &message);
        return;
    }
    if phase.to == "gone" {
        context.state.google.remove_below(&format!("{key}/"));
        context.state.google.remove(key);
        return;
    }
    let newest = newest_revision(context, &place);
    match newest.and_then(|newest| settle_created(context, &place, &newest)) {
        Some(Checked::Waiting) => {}
        Some(Checked::Failed(code, message)) => fail(context, key, &json!({"code": code, "message": message}), &message),
        Some(Checked::Ready) | None => send_traffic(context, key, &place),
    }
}

fn newest_revision(context: &Context<'_>, place: &Place) -> Option<String> {
    let service = context.state.google.get(&place.key())?;
    let name = service.text("/latestCreatedRevision").rsplit('/').next()?;
    Some(revision::key(place, name))
}

/// Checks a revision and writes down what came of it.
fn settle_created(context: &mut Context<'_>, place: &Place, key: &str) -> Option<Checked> {
    let object = context.state.google.get(key)?.clone();
    let checked = check(context, place, key, &object);
    let stamp = context.state.stamp();
    let ready = match &checked {
        Checked::Waiting => return Some(checked),
        Checked::Ready => condition::succeeded("Ready", &stamp),
        Checked::Failed(_, message) => condition::failed("Ready", message, &stamp),
    };
    if let Checked::Ready = checked
        && let Some(service) = context.state.google.get_mut(&place.key())
    {
        service.body["latestReadyRevision"] = object.body["name"].clone();
    }
    if object.body["reconciling"] == json!(true) {
        let revision = context.state.google.get_mut(key)?;
        revision.body["conditions"] = json!([ready]);
        revision.body["reconciling"] = json!(false);
        revision.body["observedGeneration"] = json!("1");
        revision.body["updateTime"] = json!(stamp);
        if let Checked::Failed(code, message) = &checked {
            revision.hidden["failure"] = json!({"code": code, "message": message});
        }
    }
    Some(checked)
}

fn send_traffic(context: &mut Context<'_>, key: &str, place: &Place) {
    let Some(service) = context.state.google.get(key).cloned() else { return };
    match route(context, place, &service) {
        Routed::Waiting => {}
        Routed::Refused(code, message) => fail(context, key, &json!({"code": code, "message": message}), &message),
        Routed::Done(statuses) => {
            let stamp = context.state.stamp();
            let Some(service) = context.state.google.get_mut(key) else { return };
            service.body["trafficStatuses"] = statuses;
            let conditions = ["RoutesReady", "ConfigurationsReady"].map(|kind| condition::succeeded(kind, &stamp));
            conclude(&mut service.body, condition::succeeded("Ready", &stamp), json!(conditions), &stamp);
            service.phase = None;
        }
    }
}

fn conclude(body: &mut Value, terminal: Value, conditions: Value, stamp: &str) {
    body["terminalCondition"] = terminal;
    body["conditions"] = conditions;
    body["observedGeneration"] = body["generation"].clone();
    body["reconciling"] = json!(false);
    body["updateTime"] = json!(stamp);
    body["etag"] = json!(service::etag());
}

fn fail(context: &mut Context<'_>, key: &str, failure: &Value, message: &str) {
    let stamp = context.state.stamp();
    let Some(service) = context.state.google.get_mut(key) else { return };
    service.phase = None;
    service.hidden["failure"] = failure.clone();
    let conditions = json!([condition::failed("ConfigurationsReady", message, &stamp)]);
    conclude(&mut service.body, condition::failed("Ready", message, &stamp), conditions, &stamp);
}

/// Ends the deletion of a revision.
pub(crate) fn settle_revision(context: &mut Context<'_>, key: &str, phase: &Phase) {
    let failure = operation::failure_of(&phase.ending);
    if failure.is_none() {
        context.state.google.remove(key);
        return;
    }
    if let Some(revision) = context.state.google.get_mut(key) {
        revision.phase = None;
        revision.hidden["failure"] = json!(failure);
        revision.body["reconciling"] = json!(false);
    }
}
