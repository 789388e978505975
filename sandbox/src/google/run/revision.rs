//! Revisions.

use serde_json::{Value, json};

use super::{Place, REVISION, condition, service};
use crate::google::context::{listed, page};
use crate::google::operation::{self, Work};
use crate::google::{Context, GoogleError, Outcome};
use crate::http::Answer;
use crate::world::{Object, digest_of};

/// Fields of a template that a revision has.
const FIELDS: [&str; 16] = [
    "labels",
    "annotations",
    "scaling",
    "vpcAccess",
    "timeout",
    "serviceAccount",
    "containers",
    "volumes",
    "executionEnvironment",
    "encryptionKey",
    "maxInstanceRequestConcurrency",
    "serviceMesh",
    "sessionAffinity",
    "nodeSelector",
    "client",
    "clientVersion",
];

/// Key of a revision by its short name.
pub(super) fn key(place: &Place, name: &str) -> String {
    format!("{}/revisions/{name}", place.key())
}

/// Makes the revision that the service's template asks for. One of the same name and content is that revision.
pub(super) fn make(context: &mut Context<'_>, place: &Place) -> Result<(), GoogleError> {
    let service = context.state.google.get(&place.key()).map(|service| (service.body.clone(), service.hidden["next"].as_u64()));
    let (service, number) = service.ok_or_else(|| GoogleError::internal(&"the service is gone"))?;
    let template = &service["template"];
    let number = number.unwrap_or(1);
    let name = match template.get("revision").and_then(Value::as_str).filter(|name| !name.is_empty()) {
        Some(name) => checked(place, name)?,
        None => format!("{}-{number:05}-{}", place.service, &letters(&service, number)),
    };
    let key = key(place, &name);
    match context.state.google.get(&key) {
        Some(existing) if existing.hidden["template"] == *template => return Ok(()),
        Some(_) => {
            let message = format!("Revision named '{name}' with different configuration already exists.");
            return Err(GoogleError::exists(message));
        }
        None => {}
    }
    let body = describe(context, place, &name, &service);
    let hidden = json!({"template": template, "workload": domain::id::DeploymentId::new().to_string()});
    context.state.google.insert(key, Object::new(REVISION, body).hiding(hidden));
    if let Some(object) = context.state.google.get_mut(&place.key()) {
        object.hidden["next"] = json!(number + 1);
        object.body["latestCreatedRevision"] = json!(format!("{}/revisions/{name}", place.name()));
    }
    Ok(())
}

fn checked(place: &Place, name: &str) -> Result<String, GoogleError> {
    let fits = name.len() <= 63
        && name.strip_prefix(&place.service).is_some_and(|rest| rest.starts_with('-') && rest.len() > 1)
        && !name.ends_with('-')
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if fits {
        return Ok(name.to_owned());
    }
    let message = format!(
        "Violation in Service.template.revision: '{name}' must be prefixed with the service name '{}-' and use only lowercase \
         alphanumeric characters and dashes.",
        place.service
    );
    Err(GoogleError::invalid(message))
}

/// Three letters that tell revisions of one number apart.
fn letters(service: &Value, number: u64) -> String {
    let digest = digest_of(format!("{}{number}", service["uid"]).as_bytes());
    digest.bytes().take(3).map(|byte| char::from(b'b' + byte % 20)).collect()
}

fn describe(context: &Context<'_>, place: &Place, name: &str, service: &Value) -> Value {
    let stamp = context.state.stamp();
    let mut body = json!({
        "name": format!("{}/revisions/{name}", place.name()),
        "uid": uuid::Uuid::new_v4().to_string(),
        "generation": "1",
        "createTime": stamp,
        "updateTime": stamp,
        "launchStage": service["launchStage"],
        "service": place.service,
        "reconciling": true,
        "conditions": [condition::reconciling("Ready", "Deploying the revision.", &stamp)],
        "creator": context.subject,
        "etag": service::etag(),
        "logUri": format!("https://console.cloud.google.com/logs/viewer?project={}&resource=cloud_run_revision/service_name/{}/revision_name/{name}", place.project, place.service),
    });
    for field in FIELDS {
        if let Some(value) = service["template"].get(field) {
            body[field] = value.clone();
        }
    }
    body
}

fn missing(name: &str) -> GoogleError {
    GoogleError::not_found(format!("Resource '{name}' of kind 'REVISION' does not exist."))
}

/// Gives a revision, which counts as a question about its service's change.
pub(super) fn get(context: &mut Context<'_>, place: &Place, name: &str) -> Outcome {
    context.need("run.revisions.get", &place.name())?;
    operation::settle(context, &place.key(), true);
    operation::settle(context, &key(place, name), true);
    let revision = context.state.google.get(&key(place, name)).ok_or_else(|| missing(name))?;
    Ok(Answer::ok(&revision.body))
}

/// Lists the revisions of a service; `-` stands for all services of the place.
pub(super) fn list(context: &mut Context<'_>, place: &Place) -> Outcome {
    context.need("run.revisions.list", &place.name())?;
    operation::settle(context, &place.key(), true);
    let prefix = match place.service.as_str() {
        "-" => format!("run/{}/services/", place.parent()),
        _ => format!("{}/revisions/", place.key()),
    };
    let revisions = context.state.google.below(&prefix).filter(|(_, object)| object.kind == REVISION);
    let revisions = revisions.map(|(key, object)| (key.clone(), object.body.clone())).collect();
    Ok(Answer::ok(&listed("revisions", page(context.call, "pageSize", revisions))))
}

/// Removes a revision that nobody sees and that is not the newest.
pub(super) fn delete(context: &mut Context<'_>, place: &Place, name: &str) -> Outcome {
    context.need("run.revisions.delete", &place.name())?;
    let key = key(place, name);
    let revision = context.state.google.get(&key).map(|revision| revision.body.clone()).ok_or_else(|| missing(name))?;
    if let Some(service) = context.state.google.get(&place.key()) {
        let statuses = service.body["trafficStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
        let targets = service.body["traffic"].as_array().map(Vec::as_slice).unwrap_or_default();
        if statuses.iter().chain(targets).any(|target| target["revision"] == json!(name)) {
            let message = format!("Revision '{name}' cannot be deleted because it is able to receive traffic.");
            return Err(GoogleError::precondition(message));
        }
        if service.body["latestCreatedRevision"] == revision["name"] {
            let message = format!("Revision '{name}' cannot be deleted because it is the latest revision of the service.");
            return Err(GoogleError::precondition(message));
        }
    }
    let phase = context.phase(REVISION, "gone");
    let stamp = context.state.stamp();
    if let Some(revision) = context.state.google.get_mut(&key) {
        revision.phase = Some(phase);
        revision.body["deleteTime"] = json!(stamp);
        revision.body["reconciling"] = json!(true);
    }
    let mut metadata = revision;
    metadata["@type"] = json!("type.googleapis.com/google.cloud.run.v2.Revision");
    let parent = place.parent();
    let work = Work { service: "run", parent: &parent, target: &key, response_type: "google.cloud.run.v2.Revision", metadata };
    Ok(operation::begin(context, work))
}
