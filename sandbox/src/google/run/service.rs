//! Services.

use serde_json::{Value, json};

use super::{Place, SERVICE, address, condition, defaults, mask, revision, traffic};
use crate::google::context::{listed, page};
use crate::google::operation::{self, Work};
use crate::google::{Context, GoogleError, Outcome};
use crate::http::Answer;
use crate::world::Object;

fn missing(place: &Place) -> GoogleError {
    let Place { project, location, service } = place;
    GoogleError::not_found(format!(
        "Resource '{service}' of kind 'SERVICE' in region '{location}' in project '{project}' does not exist."
    ))
}

/// Makes a service.
pub(super) fn create(context: &mut Context<'_>, collection: &Place) -> Outcome {
    let id = context.call.parameter("serviceId").unwrap_or_default().to_owned();
    let place = Place { service: id, ..collection.clone() };
    context.need("run.services.create", &collection.parent())?;
    defaults::check_name(&place.service)?;
    let key = place.key();
    if context.state.google.contains(&key) {
        return Err(GoogleError::exists(format!("Resource '{}' already exists.", place.service)));
    }
    let mut body = mask::settable(&context.body()?);
    defaults::fill(context, &place, &mut body)?;
    traffic::check(&place, &body)?;
    if context.call.parameter("validateOnly") == Some("true") {
        return Ok(validated(context, &place, &body));
    }
    let stamp = context.state.stamp();
    body["name"] = json!(place.name());
    body["uid"] = json!(uuid::Uuid::new_v4().to_string());
    body["generation"] = json!("1");
    body["createTime"] = json!(stamp);
    body["creator"] = json!(context.subject);
    body["uri"] = json!(format!("https://{}", address::host(&place)));
    body["urls"] = json!([format!("https://{}", address::second_host(&place)), format!("https://{}", address::host(&place))]);
    context.state.google.insert(key.clone(), Object::new(SERVICE, body).hiding(json!({"next": 1})));
    let made = revision::make(context, &place);
    if let Err(error) = made {
        context.state.google.remove(&key);
        return Err(error);
    }
    begin_change(context, &place, "ready");
    Ok(begin(context, &place))
}

/// An operation that is done at once and changed nothing.
fn validated(context: &mut Context<'_>, place: &Place, body: &Value) -> Answer {
    let mut response = body.clone();
    response["name"] = json!(place.name());
    response["@type"] = json!("type.googleapis.com/google.cloud.run.v2.Service");
    let name = format!("{}/operations/{}", place.parent(), uuid::Uuid::new_v4());
    let _ = context;
    Answer::ok(&json!({"name": name, "done": true, "response": response}))
}

/// Marks the service as changing.
fn begin_change(context: &mut Context<'_>, place: &Place, to: &str) {
    let phase = context.phase(SERVICE, to);
    let (stamp, subject) = (context.state.stamp(), context.subject.clone());
    if let Some(service) = context.state.google.get_mut(&place.key()) {
        service.phase = Some(phase);
        service.hidden["failure"] = Value::Null;
        let body = &mut service.body;
        body["updateTime"] = json!(stamp);
        body["lastModifier"] = json!(subject);
        body["reconciling"] = json!(true);
        body["terminalCondition"] = condition::reconciling("Ready", "Reconciling the service.", &stamp);
        body["etag"] = json!(etag());
    }
}

/// A new entity tag.
pub(super) fn etag() -> String {
    format!("\"{}\"", uuid::Uuid::new_v4().simple())
}

fn begin(context: &mut Context<'_>, place: &Place) -> Answer {
    let key = place.key();
    let mut metadata = context.state.google.get(&key).map(|service| service.body.clone()).unwrap_or_default();
    metadata["@type"] = json!("type.googleapis.com/google.cloud.run.v2.Service");
    let parent = place.parent();
    let work = Work { service: "run", parent: &parent, target: &key, response_type: "google.cloud.run.v2.Service", metadata };
    operation::begin(context, work)
}

/// Gives a service, which counts as a question about its change.
pub(super) fn get(context: &mut Context<'_>, place: &Place) -> Outcome {
    context.need("run.services.get", &place.name())?;
    operation::settle(context, &place.key(), true);
    let service = context.state.google.get(&place.key()).ok_or_else(|| missing(place))?;
    Ok(Answer::ok(&service.body))
}

/// Lists the services of a place; `-` stands for all locations.
pub(super) fn list(context: &mut Context<'_>, collection: &Place) -> Outcome {
    context.need("run.services.list", &collection.parent())?;
    let prefix = match collection.location.as_str() {
        "-" => format!("run/projects/{}/locations/", collection.project),
        _ => format!("run/{}/services/", collection.parent()),
    };
    let services = context.state.google.below(&prefix).filter(|(_, object)| object.kind == SERVICE);
    let services = services.map(|(key, object)| (key.clone(), object.body.clone())).collect();
    Ok(Answer::ok(&listed("services", page(context.call, "pageSize", services))))
}

fn check_etag(service: &Object, given: &str, name: &str) -> Result<(), GoogleError> {
    let current = service.text("/etag");
    if given.is_empty() || given == current {
        return Ok(());
    }
    let message = format!("Conflict for resource '{name}': version '{given}' was specified but current version is '{current}'.");
    Err(GoogleError::aborted(message))
}

/// Changes a service: a changed template makes a revision.
pub(super) fn patch(context: &mut Context<'_>, place: &Place) -> Outcome {
    context.need("run.services.update", &place.name())?;
    let (key, wanted) = (place.key(), context.body()?);
    let Some(service) = context.state.google.get(&key) else {
        let may_create = context.call.parameter("allowMissing") == Some("true");
        return if may_create { create_missing(context, place) } else { Err(missing(place)) };
    };
    if service.phase.as_ref().is_some_and(|phase| phase.to == "gone") {
        return Err(GoogleError::aborted(format!("Service '{}' is being deleted.", place.service)));
    }
    let given = wanted.get("etag").and_then(Value::as_str).unwrap_or_default();
    check_etag(service, given, &place.service)?;
    let before = service.body.clone();
    let mut after = mask::apply(&before, &wanted, context.call.parameter("updateMask").unwrap_or_default());
    defaults::fill(context, place, &mut after)?;
    traffic::check(place, &after)?;
    if context.call.parameter("validateOnly") == Some("true") {
        return Ok(validated(context, place, &after));
    }
    let is_forced = context.call.parameter("forceNewRevision") == Some("true");
    let is_new = is_forced || before["template"] != after["template"];
    let generation = before["generation"].as_str().and_then(|number| number.parse::<u64>().ok()).unwrap_or(1) + 1;
    after["generation"] = json!(generation.to_string());
    if let Some(service) = context.state.google.get_mut(&key) {
        service.body = after;
    }
    if is_new && let Err(error) = revision::make(context, place) {
        if let Some(service) = context.state.google.get_mut(&key) {
            service.body = before;
        }
        return Err(error);
    }
    begin_change(context, place, "ready");
    Ok(begin(context, place))
}

fn create_missing(context: &mut Context<'_>, place: &Place) -> Outcome {
    let query = vec![("serviceId".to_owned(), place.service.clone())];
    let call = crate::http::Call { query, ..context.call.clone() };
    let mut inner = Context {
        call: &call,
        segments: context.segments.clone(),
        verb: String::new(),
        state: &mut *context.state,
        blobs: context.blobs,
        runtimes: context.runtimes,
        subject: context.subject.clone(),
    };
    create(&mut inner, place)
}

/// Removes a service with its revisions.
pub(super) fn delete(context: &mut Context<'_>, place: &Place) -> Outcome {
    context.need("run.services.delete", &place.name())?;
    let service = context.state.google.get(&place.key()).ok_or_else(|| missing(place))?;
    check_etag(service, context.call.parameter("etag").unwrap_or_default(), &place.service)?;
    begin_change(context, place, "gone");
    let stamp = context.state.stamp();
    if let Some(service) = context.state.google.get_mut(&place.key()) {
        service.body["deleteTime"] = json!(stamp);
    }
    Ok(begin(context, place))
}
