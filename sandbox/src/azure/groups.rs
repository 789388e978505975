//! Resource groups, and lists of what is in them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::error::AzureError;
use super::id::Id;
use super::kind::{self, Change};
use super::operation::location_of;
use super::{Context, Outcome, arm, operation};
use crate::http::Answer;
use crate::world::{Ending, Object, State};

/// Kind of a resource group.
const KIND: &str = "Microsoft.Resources/resourceGroups";

fn key(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourcegroups/{group}").to_ascii_lowercase()
}

/// Returns true if the group of an address exists, or the address has none.
pub(super) fn exists(state: &State, id: &Id) -> bool {
    id.group_key().is_none_or(|key| state.azure.contains(&key))
}

/// Gives, makes, changes or removes a group.
pub(super) fn one(context: &mut Context<'_>, subscription: &str, group: &str) -> Outcome {
    let key = key(subscription, group);
    settle(context, &key, true);
    let missing = || AzureError::not_found("ResourceGroupNotFound", format!("Resource group '{group}' could not be found."));
    let path = format!("/subscriptions/{subscription}/resourceGroups/{group}");
    let action = match context.call.method {
        Method::GET | Method::HEAD => "read",
        Method::DELETE => "delete",
        _ => "write",
    };
    context.need(&format!("Microsoft.Resources/subscriptions/resourceGroups/{action}"), &path)?;
    match context.call.method {
        Method::HEAD if context.state.azure.contains(&key) => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        Method::HEAD => Ok(Answer::empty(StatusCode::NOT_FOUND)),
        Method::GET => context.state.azure.get(&key).map(|object| Answer::ok(&object.body)).ok_or_else(missing),
        Method::PUT => put(context, &key, &path, group),
        Method::PATCH => {
            let body = context.body()?;
            let object = context.state.azure.get_mut(&key).ok_or_else(missing)?;
            object.body["tags"] = body.get("tags").cloned().unwrap_or_else(|| json!({}));
            Ok(Answer::ok(&object.body))
        }
        Method::DELETE => delete(context, &key).ok_or_else(missing),
        _ => Err(AzureError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "The method means nothing here.")),
    }
}

fn put(context: &mut Context<'_>, key: &str, path: &str, group: &str) -> Outcome {
    let wanted = context.body()?;
    let location = location_of(&wanted);
    let is_name = (1..=90).contains(&group.len())
        && !group.ends_with('.')
        && group.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.()".contains(&byte));
    if !is_name {
        let message = format!("The provided resource group name '{group}' is invalid.");
        return Err(AzureError::invalid("InvalidResourceGroupName", message));
    }
    if location.is_empty() {
        return Err(AzureError::invalid("LocationRequired", "The location property is required for this definition."));
    }
    let before = context.state.azure.get(key);
    if before.is_some_and(|before| before.phase.is_some()) {
        let message = format!("The resource group '{group}' is in deprovisioning state and cannot perform this operation.");
        return Err(AzureError::conflict("ResourceGroupBeingDeleted", message));
    }
    if let Some(before) = before.filter(|before| location_of(&before.body) != location) {
        let message = format!("Invalid resource group location '{location}'. It exists in '{}'.", location_of(&before.body));
        return Err(AzureError::conflict("InvalidResourceGroupLocation", message));
    }
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let mut body = json!({
        "id": path, "name": group, "type": KIND, "location": location, "properties": {"provisioningState": "Succeeded"},
    });
    if let Some(tags) = wanted.get("tags") {
        body["tags"] = tags.clone();
    }
    context.state.azure.insert(key.to_owned(), Object::new(KIND, body.clone()));
    Ok(Answer::json(status, &body))
}

fn delete(context: &mut Context<'_>, key: &str) -> Option<Answer> {
    let phase = context.phase(KIND, "gone");
    let object = context.state.azure.get_mut(key)?;
    object.phase.get_or_insert(phase);
    object.body["properties"]["provisioningState"] = json!("Deleting");
    let location = location_of(&object.body);
    Some(operation::begin(context, Change::location(202, false), key, &location, &Value::Null))
}

/// Lets the deletion of a group go on.
pub(super) fn settle(context: &mut Context<'_>, key: &str, asked: bool) {
    let now = context.state.millis();
    let Some(group) = context.state.azure.get_mut(key).filter(|group| group.kind == KIND) else { return };
    let Some(phase) = group.phase.as_mut() else { return };
    let is_over = if asked { phase.poll(now) } else { phase.is_over(now) };
    if !is_over {
        return;
    }
    if let Ending::Fail { code, message } = phase.ending.clone() {
        group.phase = None;
        group.hidden["failure"] = json!({"code": code, "message": message});
        group.body["properties"]["provisioningState"] = json!("Succeeded");
        return;
    }
    arm::remove(context, key);
}

/// Lists the groups of a subscription.
pub(super) fn list(context: &mut Context<'_>, subscription: &str) -> Outcome {
    context.need("Microsoft.Resources/subscriptions/resourceGroups/read", &format!("/subscriptions/{subscription}"))?;
    let filter = Filter::of(context);
    let groups = context.state.azure.children(&key(subscription, ""));
    let groups: Vec<_> = groups.filter(|(_, group)| filter.fits(group)).map(|(_, group)| group.body.clone()).collect();
    Ok(Answer::ok(&json!({"value": groups})))
}

/// Lists the resources of a subscription or group.
pub(super) fn resources(context: &mut Context<'_>, subscription: &str, group: Option<&str>) -> Outcome {
    context.need("Microsoft.Resources/subscriptions/resources/read", &format!("/subscriptions/{subscription}"))?;
    let filter = Filter::of(context);
    let prefix = key(subscription, &group.map(|group| format!("{group}/")).unwrap_or_default());
    let all = context.state.azure.below(&prefix).filter(|(_, object)| is_listed(object) && filter.fits(object));
    let all: Vec<_> = all.map(|(_, object)| brief(object)).collect();
    Ok(Answer::ok(&json!({"value": all})))
}

/// Resources that have a location of their own are listed.
fn is_listed(object: &Object) -> bool {
    kind::find(&object.kind).is_some_and(|kind| kind.located && !kind.read_only)
}

fn brief(object: &Object) -> Value {
    let fields = ["id", "name", "type", "location", "tags", "kind", "sku", "identity"];
    let fields = fields.iter().filter_map(|field| Some(((*field).to_owned(), object.body.get(*field)?.clone())));
    Value::Object(fields.collect())
}

/// A filter of a list: `tagName eq 'a' and tagValue eq 'b'`, `resourceType eq 'c'`; anything else fits everything.
struct Filter {
    tag: Option<String>,
    value: Option<String>,
    kind: Option<String>,
}

impl Filter {
    fn of(context: &Context<'_>) -> Self {
        let text = context.call.parameter("$filter").unwrap_or_default();
        let term = |name: &str| Some(text.split(&format!("{name} eq '")).nth(1)?.split('\'').next()?.to_owned());
        Self { tag: term("tagName"), value: term("tagValue"), kind: term("resourceType") }
    }

    fn fits(&self, object: &Object) -> bool {
        let tag = self.tag.as_ref().map(|tag| object.body["tags"][tag].as_str());
        let value = self.value.as_deref();
        tag.is_none_or(|found| found.is_some() && (value.is_none() || found == value))
            && self.kind.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case(&object.kind))
    }
}
