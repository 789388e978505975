//! Needs of a revision: its image, and the values of its variables.

use serde_json::Value;

use super::list;
use crate::azure::types::{IDENTITY, REGISTRY, has_role, text};
use crate::http::is_registry;
use crate::world::{Object, State};

/// Roles that let an identity pull images: `AcrPull`, `AcrPush`, `Owner`, `Contributor`.
const PULL_ROLES: [&str; 4] = [
    "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "8311e382-0749-4cb8-b61a-304f252e45ec",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
];

/// The digest, with `sha256:`, of a revision's image; `None` if it is in no registry of the sandbox.
pub(crate) fn image_of(state: &State, revision: &Object) -> Option<String> {
    state.images.resolve(revision.text("/properties/template/containers/0/image"))
}

/// The variables of a revision's container, with the values of its app's secrets; a text for people if one has none.
pub(crate) fn variables(app: &Object, revision: &Object) -> Result<Vec<(String, String)>, String> {
    let secrets = app.hidden.pointer("/wanted/properties/configuration/secrets").and_then(Value::as_array);
    let secrets = secrets.map(Vec::as_slice).unwrap_or_default();
    let mut result = Vec::new();
    for variable in list(&revision.body, "/properties/template/containers/0/env") {
        let (name, reference) = (text(variable, "/name").to_owned(), text(variable, "/secretRef"));
        let value = if reference.is_empty() {
            text(variable, "/value")
        } else {
            let secret = secrets.iter().find(|secret| text(secret, "/name") == reference);
            text(secret.ok_or_else(|| format!("the app has no secret {reference}, which {name} refers to"))?, "/value")
        };
        result.push((name, value.to_owned()));
    }
    Ok(result)
}

/// Checks that the images of a revision exist and that the app may pull them; the error is for people.
pub(super) fn check_images(state: &State, app: &Object, revision: &Object) -> Result<(), String> {
    for container in list(&revision.body, "/properties/template/containers") {
        let image = text(container, "/image");
        let host = image.split('/').next().unwrap_or_default();
        if !is_registry(host) {
            continue;
        }
        let place = format!(
            "Field 'template.containers.{}.image' is invalid with details: 'Invalid value: \"{image}\": ",
            text(container, "/name")
        );
        may_pull(state, app, host).map_err(|error| format!("{place}UNAUTHORIZED: {error}'"))?;
        if state.images.resolve(image).is_none() {
            return Err(format!("{place}MANIFEST_UNKNOWN: manifest is not found'"));
        }
    }
    Ok(())
}

fn may_pull(state: &State, app: &Object, host: &str) -> Result<(), String> {
    let registries = list(&app.body, "/properties/configuration/registries");
    let login = registries.iter().find(|registry| text(registry, "/server").eq_ignore_ascii_case(host));
    let login = login.ok_or_else(|| format!("the app has no credentials of the registry {host}"))?;
    let identity = text(login, "/identity");
    if identity.is_empty() || identity == "system" {
        return Ok(());
    }
    let object = state.azure.get(&identity.to_ascii_lowercase()).filter(|object| object.kind == IDENTITY.name);
    let principal =
        object.map(|object| object.text("/properties/principalId")).ok_or_else(|| format!("{identity} does not exist"))?;
    let mut all = state.azure.iter().filter(|(_, object)| object.kind == REGISTRY.name);
    let registry = all.find(|(_, object)| object.text("/properties/loginServer").eq_ignore_ascii_case(host));
    let (_, registry) = registry.ok_or_else(|| format!("no registry answers as {host}"))?;
    if has_role(state, registry.text("/id"), principal, &PULL_ROLES) {
        return Ok(());
    }
    Err(format!("the identity {identity} does not have the role AcrPull on the registry {host}"))
}
