//! Permissions of the caller at a scope.

use serde_json::json;

use super::Context;
use crate::http::Answer;
use crate::login::Vendor;

/// Lists what the caller may do, the same at every scope.
pub(super) fn get(context: &mut Context<'_>) -> Answer {
    let (allowed, denied) = context.state.principals.permissions(Vendor::Azure, &context.subject);
    let (data, actions) = split(allowed);
    let (not_data, not_actions) = split(denied);
    let permission = json!({"actions": actions, "notActions": not_actions, "dataActions": data, "notDataActions": not_data});
    Answer::ok(&json!({"value": [permission]}))
}

/// Splits actions on data from the others; `*` is one of both.
fn split(list: Vec<String>) -> (Vec<String>, Vec<String>) {
    let everything = list.iter().any(|action| action == "*");
    let (mut data, mut others): (Vec<_>, Vec<_>) = list.into_iter().partition(|action| is_data(action));
    if everything && !data.iter().any(|action| action == "*") {
        data.push("*".to_owned());
    }
    others.dedup();
    (data, others)
}

/// Actions on contents, which are those of blobs.
fn is_data(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    action.contains("/blobs/") || action.ends_with("/blobs")
}
