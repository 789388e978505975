//! Checks of a container app as a client wants it.

use serde_json::Value;

use super::list;
use crate::azure::Context;
use crate::azure::error::AzureError;
use crate::azure::id::Id;
use crate::azure::types::text;
use crate::world::Object;

/// Checks a container app as a client wants it. Its traffic is checked once its revision is known.
pub(in crate::azure) fn check(context: &Context<'_>, id: &Id, wanted: &Value, _: Option<&Object>) -> Result<(), AzureError> {
    check_name(id.name())?;
    check_environment(context, wanted)?;
    check_secrets(wanted)?;
    let containers = list(wanted, "/properties/template/containers");
    if containers.is_empty() {
        return Err(AzureError::invalid("ContainerAppContainersRequired", "The template must have at least one container."));
    }
    for container in containers {
        check_container(wanted, container)?;
    }
    check_sizes(containers)?;
    check_identities(context, wanted)
}

fn check_name(name: &str) -> Result<(), AzureError> {
    let fits = (2..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && !name.contains("--")
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let message = format!(
        "Invalid ContainerApp name '{name}'. A name must consist of lower case alphanumeric characters or '-', start with an alphabetic \
         character, and end with an alphanumeric character and cannot have '--'. The length must not be more than 32 characters."
    );
    if fits { Ok(()) } else { Err(AzureError::invalid("ContainerAppInvalidName", message)) }
}

/// The environment of an app, which may stand in either of two places.
pub(super) fn environment_of(wanted: &Value) -> &str {
    let named = text(wanted, "/properties/managedEnvironmentId");
    if named.is_empty() { text(wanted, "/properties/environmentId") } else { named }
}

fn check_environment(context: &Context<'_>, wanted: &Value) -> Result<(), AzureError> {
    let environment = environment_of(wanted);
    let found = context.state.azure.get(&environment.to_ascii_lowercase());
    context.need_linked("Microsoft.App/managedEnvironments/join/action", environment)?;
    let missing =
        || AzureError::invalid("ManagedEnvironmentNotFound", format!("The environment '{environment}' does not exist."));
    if found.ok_or_else(missing)?.text("/properties/provisioningState") == "Succeeded" {
        return Ok(());
    }
    let message = format!("The environment '{environment}' is not ready for container apps: it is still being provisioned.");
    Err(AzureError::conflict("ManagedEnvironmentNotReadyForAppCreation", message))
}

fn check_secrets(wanted: &Value) -> Result<(), AzureError> {
    for secret in list(wanted, "/properties/configuration/secrets") {
        let name = text(secret, "/name");
        let is_name = !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
        let has_value = !text(secret, "/value").is_empty() || !text(secret, "/keyVaultUrl").is_empty();
        if !is_name || !has_value {
            let message = format!(
                "Invalid Request: Container app secret(s) with name(s) '{name}' are invalid: value or keyVaultUrl and identity should be \
                 provided, and a name must consist of lower case alphanumeric characters, '-', and '.'."
            );
            return Err(AzureError::invalid("ContainerAppSecretInvalid", message));
        }
    }
    Ok(())
}

fn check_container(wanted: &Value, container: &Value) -> Result<(), AzureError> {
    if text(container, "/image").is_empty() || text(container, "/name").is_empty() {
        return Err(AzureError::invalid("ContainerAppImageRequired", "Every container must have a name and an image."));
    }
    let known = list(wanted, "/properties/configuration/secrets");
    for variable in list(container, "/env") {
        let reference = text(variable, "/secretRef");
        if !reference.is_empty() && !known.iter().any(|secret| text(secret, "/name") == reference) {
            let message = format!("SecretRef '{reference}' defined for container '{}' not found.", text(container, "/name"));
            return Err(AzureError::invalid("ContainerAppSecretRefNotFound", message));
        }
    }
    Ok(())
}

/// The Consumption profile sells quarters of a core, each with half a gibibyte.
fn check_sizes(containers: &[Value]) -> Result<(), AzureError> {
    let cores: f64 =
        containers.iter().map(|container| container.pointer("/resources/cpu").and_then(Value::as_f64).unwrap_or(0.5)).sum();
    let memory = |container: &Value| text(container, "/resources/memory").trim_end_matches("Gi").parse().unwrap_or(1.0);
    let memory: f64 = containers.iter().map(memory).sum();
    let is_step = (cores * 4.0).fract().abs() < 0.01;
    if is_step && (0.25..=4.0).contains(&cores) && (memory - 2.0 * cores).abs() < 0.01 {
        return Ok(());
    }
    let message = format!(
        "The total requested CPU and memory resources for this application (CPU: {cores}, memory: {memory}Gi) is invalid. Total CPU and \
         memory for all containers defined in a Container App must add up to one of the following CPU - Memory combinations: [cpu: \
         0.25, memory: 0.5Gi]; [cpu: 0.5, memory: 1Gi]; .. [cpu: 4, memory: 8Gi]"
    );
    Err(AzureError::invalid("ContainerAppInvalidResourceTotal", message))
}

/// Identities exist, and registries are read with one of the app's own.
fn check_identities(context: &Context<'_>, wanted: &Value) -> Result<(), AzureError> {
    let own = wanted.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
    let own: Vec<String> = own.into_iter().flatten().map(|(id, _)| id.to_ascii_lowercase()).collect();
    if let Some(absent) = own.iter().find(|id| !context.state.azure.contains(id)) {
        let message = format!("The identity '{absent}' does not exist.");
        return Err(AzureError::invalid("FailedIdentityOperation", message));
    }
    for id in &own {
        context.need_linked("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", id)?;
    }
    for registry in list(wanted, "/properties/configuration/registries") {
        let identity = text(registry, "/identity").to_ascii_lowercase();
        if !identity.is_empty() && identity != "system" && !own.contains(&identity) {
            let message =
                format!("The identity '{identity}' of registry '{}' is not assigned to the app.", text(registry, "/server"));
            return Err(AzureError::invalid("ContainerAppRegistryIdentityNotFound", message));
        }
    }
    Ok(())
}
