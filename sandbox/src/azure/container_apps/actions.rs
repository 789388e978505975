//! Actions on apps and revisions.

use http::StatusCode;
use serde_json::{Value, json};

use super::revision::prune;
use super::settle_revision;
use crate::azure::error::AzureError;
use crate::azure::id::Id;
use crate::azure::{Context, Outcome};
use crate::http::Answer;
use crate::world::Object;

/// Actions on an app: its secrets with their values.
pub(in crate::azure) fn action(_: &mut Context<'_>, id: &Id, app: &Object) -> Option<Outcome> {
    if !id.action.eq_ignore_ascii_case("listSecrets") {
        return None;
    }
    let secrets =
        app.hidden.pointer("/wanted/properties/configuration/secrets").and_then(Value::as_array).cloned().unwrap_or_default();
    let secrets: Vec<_> = secrets.iter().map(|secret| json!({"name": secret["name"], "value": secret["value"]})).collect();
    Some(Ok(Answer::ok(&json!({"value": secrets}))))
}

/// Actions on a revision: `activate`, `deactivate` and `restart`.
pub(in crate::azure) fn revision_action(context: &mut Context<'_>, id: &Id, revision: &Object) -> Option<Outcome> {
    let active = match id.action.to_ascii_lowercase().as_str() {
        "activate" => true,
        "deactivate" => false,
        "restart" => return Some(Ok(Answer::empty(StatusCode::OK))),
        _ => return None,
    };
    let app = id.parent_key()?;
    if context.state.azure.get(&app).is_some_and(|app| app.phase.is_some()) {
        let message = format!("Cannot modify the revision '{}' because there is an operation in progress on its app.", id.name());
        return Some(Err(AzureError::conflict("ContainerAppOperationInProgress", message)));
    }
    if revision.body["properties"]["active"] != json!(active)
        && let Some(revision) = context.state.azure.get_mut(&id.key())
    {
        revision.body["properties"]["active"] = json!(active);
    }
    settle_revision(context, &id.key());
    prune(context, &app);
    Some(Ok(Answer::empty(StatusCode::OK)))
}
