//! IAM policies of things.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Context, GoogleError};
use crate::world::State;

/// The policy of a thing; an empty one where none was set.
pub(super) fn get(state: &State, key: &str) -> Value {
    let stored = state.google.get(key).and_then(|object| object.hidden.get("policy")).cloned();
    stored.unwrap_or_else(|| json!({"etag": STANDARD.encode("none")}))
}

/// Replaces the policy of a thing, unless it changed since the caller read it.
pub(super) fn set(context: &mut Context<'_>, key: &str, wanted: &Value) -> Result<Value, GoogleError> {
    let current = get(context.state, key);
    let given = wanted.get("etag").and_then(Value::as_str).unwrap_or_default();
    if !given.is_empty() && current["etag"] != json!(given) {
        let message = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.";
        return Err(GoogleError::aborted(message));
    }
    let bindings = wanted.get("bindings").cloned().unwrap_or_else(|| json!([]));
    check_members(context.state, &bindings)?;
    let etag = STANDARD.encode(uuid::Uuid::new_v4().as_bytes());
    let policy = json!({"version": 1, "etag": etag, "bindings": bindings});
    let object = context.state.google.get_mut(key).ok_or_else(|| GoogleError::not_found("The resource does not exist."))?;
    object.hidden["policy"] = policy.clone();
    Ok(policy)
}

/// Members have a type, and service accounts of a simulated project exist.
fn check_members(state: &State, bindings: &Value) -> Result<(), GoogleError> {
    let bindings = bindings.as_array().ok_or_else(|| GoogleError::invalid("Invalid value at 'policy.bindings'."))?;
    let members = bindings.iter().filter_map(|binding| binding.get("members")?.as_array()).flatten().filter_map(Value::as_str);
    for member in members {
        if let Some(email) = member.strip_prefix("serviceAccount:")
            && let Some((_, project)) = email.strip_suffix(".iam.gserviceaccount.com").and_then(|name| name.split_once('@'))
            && !project.starts_with("gcp-sa-")
            && !state.google.contains(&format!("iam/projects/{project}/serviceAccounts/{email}"))
            && !state.principals.list().iter().any(|principal| principal.id == email)
        {
            return Err(GoogleError::invalid(format!("Service account {email} does not exist.")));
        }
        if !member.contains(':') && !matches!(member, "allUsers" | "allAuthenticatedUsers") {
            return Err(GoogleError::invalid(format!("Invalid member {member}: it has no type.")));
        }
    }
    Ok(())
}

/// Returns true if a policy gives a member one of these roles.
pub(crate) fn member_has_role(state: &State, key: &str, member: &str, roles: &[&str]) -> bool {
    let policy = get(state, key);
    let bindings = policy.get("bindings").and_then(Value::as_array).cloned().unwrap_or_default();
    bindings.iter().any(|binding| {
        let role = binding.get("role").and_then(Value::as_str).unwrap_or_default();
        let members = binding.get("members").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        roles.contains(&role) && members.into_iter().any(|named| named == member || named == "allUsers")
    })
}

/// The permissions of a list that the caller has.
pub(super) fn granted(context: &Context<'_>, wanted: &Value) -> Value {
    let wanted = wanted.get("permissions").and_then(Value::as_array).cloned().unwrap_or_default();
    let allows = |permission: &&Value| {
        let name = permission.as_str().unwrap_or_default();
        context.state.principals.allows(crate::login::Vendor::Google, &context.subject, name)
    };
    let granted: Vec<_> = wanted.iter().filter(allows).cloned().collect();
    if granted.is_empty() { json!({}) } else { json!({"permissions": granted}) }
}
