//! Checks of everything that a revision needs to become ready.

use serde_json::{Value, json};

use super::{Place, condition};
use crate::data_plane::Runtime;
use crate::google::storage::bucket_key;
use crate::google::{Context, iam, member_has_role, projects, secret_value};
use crate::http::Destination;
use crate::world::{Object, State};

/// Roles that let a service account read secrets.
const SECRET_ROLES: [&str; 2] = ["roles/secretmanager.secretAccessor", "roles/secretmanager.admin"];

/// Roles that let a service account read objects.
const OBJECT_ROLES: [&str; 7] = [
    "roles/storage.objectViewer",
    "roles/storage.objectUser",
    "roles/storage.objectAdmin",
    "roles/storage.admin",
    "roles/storage.legacyObjectReader",
    "roles/storage.legacyObjectOwner",
    "roles/storage.legacyBucketReader",
];

/// Result of a check.
pub(super) enum Checked {
    Waiting,
    Ready,
    /// Code and message of the error.
    Failed(i32, String),
}

/// Checks everything that a revision needs: its image, its secrets, its buckets, and that it answers.
pub(super) fn check(context: &Context<'_>, place: &Place, key: &str, revision: &Object) -> Checked {
    match condition::ready_state(&revision.body["conditions"]) {
        "CONDITION_SUCCEEDED" => return Checked::Ready,
        "CONDITION_FAILED" => {
            let failure = &revision.hidden["failure"];
            let code = failure["code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(9);
            return Checked::Failed(code, failure["message"].as_str().unwrap_or_default().to_owned());
        }
        _ => {}
    }
    let name = key.rsplit('/').next().unwrap_or_default();
    if let Err((code, message)) = resolve(context.state, place, revision) {
        let message =
            if code == 5 { message } else { format!("Revision '{name}' is not ready and cannot serve traffic. {message}") };
        return Checked::Failed(code, message);
    }
    match context.runtimes.of(key) {
        Runtime::Starting => Checked::Waiting,
        Runtime::Ready | Runtime::NotRun(_) => Checked::Ready,
        Runtime::Failed(reason) => {
            let port = revision.body.pointer("/containers/0/ports/0/containerPort").and_then(Value::as_u64).unwrap_or(8080);
            let message = format!(
                "Revision '{name}' is not ready and cannot serve traffic. The user-provided container failed to start and listen on the \
                 port defined provided by the PORT={port} environment variable within the allocated timeout. This can happen when the \
                 container port is misconfigured or if the timeout is too short. The health check timeout can be extended. Logs for this \
                 revision might contain more information.\n\n{reason}"
            );
            Checked::Failed(9, message)
        }
    }
}

/// The digest, with `sha256:`, of a container's image; `None` if it is in no registry of the sandbox.
pub(crate) fn image_of(state: &State, revision: &Value) -> Option<(String, String)> {
    let image = revision.pointer("/containers/0/image").and_then(Value::as_str)?;
    let digest = state.images.resolve(image)?;
    let name = image.split('@').next().unwrap_or(image);
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    Some((name.to_owned(), digest))
}

/// The variables of a revision's container, with the values of its secrets; the first reason for which one has none.
pub(crate) fn variables(state: &State, project: &str, revision: &Value) -> Result<Vec<(String, String)>, String> {
    let variables = revision.pointer("/containers/0/env").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut result = Vec::new();
    for (index, variable) in variables.iter().enumerate() {
        let name = variable["name"].as_str().unwrap_or_default().to_owned();
        let value = match variable.pointer("/valueSource/secretKeyRef") {
            None => variable["value"].as_str().unwrap_or_default().to_owned(),
            Some(reference) => {
                let (secret, version) =
                    (reference["secret"].as_str().unwrap_or_default(), reference["version"].as_str().unwrap_or("latest"));
                let place = format!("spec.template.spec.containers[0].env[{index}].value_from.secret_key_ref.name");
                may_read_secret(state, project, revision, secret).map_err(|error| format!("{place}: {error}"))?;
                secret_value(state, project, secret, version).map_err(|error| format!("{place}: {error}"))?
            }
        };
        result.push((name, value));
    }
    Ok(result)
}

fn may_read_secret(state: &State, project: &str, revision: &Value, secret: &str) -> Result<(), String> {
    let account = revision["serviceAccount"].as_str().unwrap_or_default();
    let member = format!("serviceAccount:{account}");
    let name = secret.rsplit('/').next().unwrap_or(secret);
    let key = format!("secretmanager/projects/{project}/secrets/{name}");
    let may = !state.google.contains(&key)
        || member_has_role(state, &key, &member, &SECRET_ROLES)
        || member_has_role(state, &projects::key(project), &member, &SECRET_ROLES);
    let message = format!(
        "Permission denied on secret: projects/{project}/secrets/{name} for Revision service account {account}. The service account used \
         must be granted the 'Secret Manager Secret Accessor' role (roles/secretmanager.secretAccessor) at the secret, project or higher \
         level."
    );
    if may { Ok(()) } else { Err(message) }
}

fn resolve(state: &State, place: &Place, revision: &Object) -> Result<(), (i32, String)> {
    for container in revision.body["containers"].as_array().into_iter().flatten() {
        let image = container["image"].as_str().unwrap_or_default();
        let host = image.split('/').next().unwrap_or_default();
        let is_simulated = Destination::of(host) == Destination::Registry;
        if is_simulated && state.images.resolve(image).is_none() {
            return Err((5, format!("Image '{image}' not found.")));
        }
    }
    variables(state, &place.project, &revision.body).map_err(|message| (9, message))?;
    for volume in revision.body["volumes"].as_array().into_iter().flatten() {
        resolve_volume(state, place, revision, volume).map_err(|message| (9, message))?;
    }
    Ok(())
}

fn resolve_volume(state: &State, place: &Place, revision: &Object, volume: &Value) -> Result<(), String> {
    if let Some(secret) = volume.pointer("/secret/secret").and_then(Value::as_str) {
        may_read_secret(state, &place.project, &revision.body, secret)?;
        let items = volume.pointer("/secret/items").cloned().unwrap_or_else(|| json!([{"version": "latest"}]));
        for item in items.as_array().into_iter().flatten() {
            secret_value(state, &place.project, secret, item["version"].as_str().unwrap_or("latest"))?;
        }
    }
    let Some(bucket) = volume.pointer("/gcs/bucket").and_then(Value::as_str) else { return Ok(()) };
    let key = bucket_key(bucket);
    if !state.google.contains(&key) {
        return Err(format!(
            "Volume '{}' failed to mount: bucket {bucket} does not exist.",
            volume["name"].as_str().unwrap_or_default()
        ));
    }
    let account = revision.text("/serviceAccount");
    let member = format!("serviceAccount:{account}");
    let may = account == iam::default_account(&place.project)
        || member_has_role(state, &key, &member, &OBJECT_ROLES)
        || member_has_role(state, &projects::key(&place.project), &member, &OBJECT_ROLES);
    let message = format!("Volume failed to mount: {account} does not have storage.objects.list access to the bucket {bucket}.");
    if may { Ok(()) } else { Err(message) }
}
