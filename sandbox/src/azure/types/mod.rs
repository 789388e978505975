//! Types of resources, a file each.

mod container_app;
mod identity;
mod managed_environment;
mod registry;
mod role_assignment;
mod storage;
mod workspace;

pub(super) use container_app::{CONTAINER_APP, REVISION};
pub(super) use identity::IDENTITY;
pub(super) use managed_environment::MANAGED_ENVIRONMENT;
pub(super) use registry::REGISTRY;
pub(super) use role_assignment::{ROLE_ASSIGNMENT, has_role};
pub(super) use storage::{BLOB_CONTAINER, STORAGE_ACCOUNT, is_container, web_host};
pub(super) use workspace::WORKSPACE;

use serde_json::{Value, json};

use super::error::AzureError;
use super::{Context, Outcome};
use crate::http::Answer;
use crate::world::{State, digest_of};

/// A GUID that follows from a text, so that it stays the same over writes.
pub(super) fn guid(text: &str) -> String {
    let digest = digest_of(text.as_bytes());
    let mut bytes = [0; 16];
    for (byte, hex) in bytes.iter_mut().zip(digest.as_bytes().chunks(2)) {
        *byte = std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(0);
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// A text of what a client wants; empty where there is none.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Checks the length and the letters of a name: letters, digits, and some others that do not begin it
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>).
fn need_name(name: &str, length: std::ops::RangeInclusive<usize>, others: &[u8]) -> Result<(), AzureError> {
    let fits = length.contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte));
    let message =
        format!("The resource name '{name}' is invalid: it must have {} to {} letters and digits.", length.start(), length.end());
    if fits { Ok(()) } else { Err(AzureError::invalid("InvalidResourceName", message)) }
}

/// The tenant of the caller.
fn tenant(context: &Context<'_>) -> String {
    let tenant = context.state.principals.about(crate::login::Vendor::Azure, &context.subject, "tenant");
    tenant.unwrap_or("00000000-0000-0000-0000-000000000000").to_owned()
}

/// Returns true if a resource of a type has this name, anywhere.
fn is_taken(state: &State, kind: &str, name: &str, except: &str) -> bool {
    let is_other = |key: &str| key != except && key.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name));
    state.azure.iter().any(|(key, object)| object.kind == kind && is_other(key))
}

/// Says whether a name that is the world's can be used.
pub(super) fn check_name(context: &mut Context<'_>, namespace: &str) -> Outcome {
    let name = context.body()?.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, fits) = match namespace {
        "microsoft.storage" => (STORAGE_ACCOUNT.name, storage::is_name(&name)),
        "microsoft.containerregistry" => (REGISTRY.name, registry::is_name(&name)),
        _ => return Err(AzureError::not_found("InvalidResourceType", "Names of this provider are not the world's.")),
    };
    let invalid = if namespace == "microsoft.storage" { "AccountNameInvalid" } else { "Invalid" };
    let answer = match (fits, is_taken(context.state, kind, &name, "")) {
        (false, _) => json!({"nameAvailable": false, "reason": invalid, "message": format!("{name} is not a valid name.")}),
        (true, true) => {
            json!({"nameAvailable": false, "reason": "AlreadyExists", "message": format!("The name {name} is already in use.")})
        }
        (true, false) => json!({"nameAvailable": true}),
    };
    Ok(Answer::ok(&answer))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_guid_follows_from_its_text() {
        assert_eq!(super::guid("a"), super::guid("a"));
        assert_ne!(super::guid("a"), super::guid("b"));
        assert!(uuid::Uuid::parse_str(&super::guid("a")).is_ok());
    }
}
