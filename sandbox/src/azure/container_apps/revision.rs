//! New revisions.

use serde_json::{Value, json};

use super::{REVISION, domain_of, revision_key, traffic};
use crate::azure::Context;
use crate::azure::error::AzureError;
use crate::azure::id::Id;
use crate::azure::types::text;
use crate::world::{Object, digest_of};

/// Makes the revision that an app's template asks for. One of the same suffix and template is that revision.
pub(in crate::azure) fn make_revision(context: &mut Context<'_>, id: &Id) -> Result<(), AzureError> {
    let app = context.state.azure.get(&id.key()).cloned();
    let app = app.ok_or_else(|| AzureError::conflict("Conflict", "The app is gone."))?;
    let template = app.hidden["wanted"]["properties"]["template"].clone();
    let (name, is_new) = name_of(context, id, &app, &template)?;
    traffic::check(context.state, id, &app, &name)?;
    let key = revision_key(&id.key(), &name);
    if is_new {
        let body = describe(context, id, &app, &name);
        let hidden = json!({"template": template, "workload": domain::id::DeploymentId::new().to_string()});
        context.state.azure.insert(key, Object::new(REVISION, body).hiding(hidden));
    }
    let domain = domain_of(context.state, &app).to_owned();
    if let Some(app) = context.state.azure.get_mut(&id.key()) {
        app.hidden["latest"] = json!(name);
        app.body["properties"]["latestRevisionName"] = json!(name);
        app.body["properties"]["latestRevisionFqdn"] = json!(format!("{name}.{domain}"));
    }
    Ok(())
}

/// The name of the revision that a template is, and whether it has to be made.
fn name_of(context: &Context<'_>, id: &Id, app: &Object, template: &Value) -> Result<(String, bool), AzureError> {
    let suffix = text(template, "/revisionSuffix");
    if suffix.is_empty() {
        let latest = app.secret("latest");
        let current = context.state.azure.get(&revision_key(&id.key(), latest));
        if current.is_some_and(|current| current.hidden["template"] == *template) {
            return Ok((latest.to_owned(), false));
        }
        let digest = digest_of(format!("{}{}", id.key(), app.version).as_bytes());
        return Ok((format!("{}--{}", id.name(), &digest[..7]), true));
    }
    let is_suffix = suffix.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && !suffix.ends_with('-')
        && !suffix.contains("--")
        && suffix.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let name = format!("{}--{suffix}", id.name());
    if !is_suffix || name.len() > 63 {
        let message =
            format!("The revision suffix '{suffix}' is not valid, or the revision's name is longer than 63 characters.");
        return Err(AzureError::invalid("ContainerAppInvalidRevisionSuffix", message));
    }
    match context.state.azure.get(&revision_key(&id.key(), &name)) {
        None => Ok((name, true)),
        Some(existing) if existing.hidden["template"] == *template => Ok((name, false)),
        Some(_) => {
            let message = format!(
                "Field 'template.revisionsuffix' is invalid with details: 'Invalid value: \"{suffix}\": revision with suffix {suffix} already exists.'"
            );
            Err(AzureError::invalid("ContainerAppInvalidRevisionSuffix", message))
        }
    }
}

fn describe(context: &Context<'_>, id: &Id, app: &Object, name: &str) -> Value {
    json!({
        "id": format!("{}/revisions/{name}", id.path),
        "name": name,
        "type": REVISION,
        "properties": {
            "createdTime": context.state.stamp(),
            "fqdn": format!("{name}.{}", domain_of(context.state, app)),
            "template": app.body["properties"]["template"],
            "active": true,
            "replicas": 0,
            "trafficWeight": 0,
            "healthState": "None",
            "provisioningState": "Provisioning",
            "runningState": "Processing",
        },
    })
}

/// Keys of an app's revisions, oldest first.
pub(super) fn keys(context: &Context<'_>, app: &str) -> Vec<String> {
    let prefix = format!("{app}/revisions/");
    let mut all: Vec<_> = context
        .state
        .azure
        .children(&prefix)
        .map(|(key, object)| (object.text("/properties/createdTime").to_owned(), key.clone()))
        .collect();
    all.sort();
    all.into_iter().map(|(_, key)| key).collect()
}

/// Removes the oldest of the revisions that rest, beyond the number that the app keeps.
pub(super) fn prune(context: &mut Context<'_>, app: &str) {
    let kept =
        context.state.azure.get(app).and_then(|app| app.body.pointer("/properties/configuration/maxInactiveRevisions")?.as_u64());
    let kept = usize::try_from(kept.unwrap_or(100)).unwrap_or(100);
    let rests =
        |key: &String| context.state.azure.get(key).is_some_and(|revision| revision.body["properties"]["active"] == json!(false));
    let resting: Vec<_> = keys(context, app).into_iter().filter(rests).collect();
    for key in resting.iter().take(resting.len().saturating_sub(kept)) {
        context.state.azure.remove(key);
    }
}

/// Number of replicas that run without any request.
pub(super) fn min_replicas(revision: &Object) -> u64 {
    revision.body.pointer("/properties/template/scale/minReplicas").and_then(Value::as_u64).unwrap_or(0)
}
