//! The engine of the resource manager: writes, reads, lists and deletes resources of every type.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::error::AzureError;
use super::id::Id;
use super::kind::{self, Change, Kind, Settled};
use super::operation::{self, group_of, location_of};
use super::{Context, Outcome, groups, providers};
use crate::http::Answer;
use crate::world::{Ending, Object};

/// Members of a resource that clients set.
const SETTABLE: [&str; 8] = ["location", "tags", "sku", "kind", "identity", "properties", "zones", "extendedLocation"];

/// Answers a call about a resource, a collection or an action.
pub(super) fn answer(context: &mut Context<'_>) -> Outcome {
    let parts = context.call.segments();
    let unknown = || AzureError::not_found("InvalidResourceType", "The path is no address of a resource.");
    let id = Id::parse(&parts, context.call.method == Method::POST).ok_or_else(unknown)?;
    let kind = kind::find(&id.kind()).ok_or_else(|| {
        let message = format!(
            "The resource type '{}' could not be found in the namespace '{}' for api version '{}'.",
            id.types.join("/"),
            id.namespace,
            context.version
        );
        AzureError::not_found("InvalidResourceType", message)
    })?;
    if !groups::exists(context.state, &id) {
        let message = format!("Resource group '{}' could not be found.", group_of(&id));
        return Err(AzureError::not_found("ResourceGroupNotFound", message));
    }
    match context.call.method {
        Method::GET if id.is_collection() => list(context, kind, &id),
        Method::GET => get(context, kind, &id),
        Method::PUT | Method::PATCH if !kind.read_only => write(context, kind, &id),
        Method::DELETE if !kind.read_only => delete(context, kind, &id),
        Method::POST => act(context, kind, &id),
        _ => Err(AzureError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "The method means nothing here.")),
    }
}

fn list(context: &mut Context<'_>, kind: &'static Kind, id: &Id) -> Outcome {
    context.need(&format!("{}/read", kind.name), &id.scope)?;
    let keys: Vec<String> = of_kind(context, kind, id);
    for key in &keys {
        settle(context, key, false);
    }
    let filter = context.call.parameter("$filter").unwrap_or_default();
    let listed = keys.iter().filter_map(|key| context.state.azure.get(key));
    let listed: Vec<_> = listed.filter(|object| fits(object, filter)).map(|object| object.body.clone()).collect();
    Ok(Answer::ok(&json!({"value": listed})))
}

/// Keys of the resources of a collection: below the scope, at any depth for a subscription or group.
fn of_kind(context: &Context<'_>, kind: &'static Kind, id: &Id) -> Vec<String> {
    let scope = id.parent_key().unwrap_or_else(|| id.scope.to_ascii_lowercase());
    let all = context.state.azure.below(&format!("{scope}/")).filter(|(_, object)| object.kind == kind.name);
    all.map(|(key, _)| key.clone()).collect()
}

/// Understands `principalId eq '..'`; anything else fits everything.
fn fits(object: &Object, filter: &str) -> bool {
    let wanted = filter.split("principalId eq '").nth(1).and_then(|rest| rest.split('\'').next());
    wanted.is_none_or(|wanted| object.text("/properties/principalId").eq_ignore_ascii_case(wanted))
}

fn get(context: &mut Context<'_>, kind: &'static Kind, id: &Id) -> Outcome {
    context.need(&format!("{}/read", kind.name), &id.path)?;
    settle(context, &id.key(), true);
    let object = context.state.azure.get(&id.key()).ok_or_else(|| missing(kind, id))?;
    Ok(Answer::ok(&object.body))
}

fn missing(kind: &Kind, id: &Id) -> AzureError {
    AzureError::missing(kind.name, &id.names.join("/"), group_of(id))
}

fn act(context: &mut Context<'_>, kind: &'static Kind, id: &Id) -> Outcome {
    context.need(&format!("{}/{}/action", kind.name, id.action), &id.path)?;
    let object = context.state.azure.get(&id.key()).cloned().ok_or_else(|| missing(kind, id))?;
    let unknown = || AzureError::not_found("InvalidResourceType", format!("There is no action '{}'.", id.action));
    (kind.action)(context, id, &object).unwrap_or_else(|| Err(unknown()))
}

fn write(context: &mut Context<'_>, kind: &'static Kind, id: &Id) -> Outcome {
    context.need(&format!("{}/write", kind.name), &id.path)?;
    providers::need(context.state, &id.subscription, kind.namespace())?;
    need_parent(context, id)?;
    settle(context, &id.key(), false);
    let before = context.state.azure.get(&id.key()).cloned();
    let is_patch = context.call.method == Method::PATCH;
    if is_patch && before.is_none() {
        return Err(missing(kind, id));
    }
    check_free(kind, id, before.as_ref())?;
    let wanted = wanted(&context.body()?, before.as_ref().filter(|_| is_patch));
    check(kind, &wanted, before.as_ref())?;
    (kind.check)(context, id, &wanted, before.as_ref())?;
    let change = match (&before, is_patch) {
        (_, true) => kind.patch,
        (Some(_), false) => kind.update,
        (None, false) => kind.create,
    };
    store(context, kind, id, wanted, before.as_ref());
    if let Err(error) = (kind.after)(context, id) {
        undo(context, id, before);
        return Err(error);
    }
    Ok(begin(context, kind, id, change))
}

fn undo(context: &mut Context<'_>, id: &Id, before: Option<Object>) {
    match before {
        Some(before) => context.state.azure.insert(id.key(), before),
        None => {
            context.state.azure.remove(&id.key());
        }
    }
}

fn need_parent(context: &Context<'_>, id: &Id) -> Result<(), AzureError> {
    // A storage account always has its blob service.
    let parent = id.parent_key().map(|parent| parent.trim_end_matches("/blobservices/default").to_owned());
    let Some(parent) = parent.filter(|parent| !context.state.azure.contains(parent)) else { return Ok(()) };
    let message = format!("Can not perform requested operation on nested resource. Parent resource '{parent}' not found.");
    Err(AzureError::not_found("ParentResourceNotFound", message))
}

/// Refuses a change of what is being changed already.
fn check_free(kind: &Kind, id: &Id, before: Option<&Object>) -> Result<(), AzureError> {
    let Some(phase) = before.and_then(|before| before.phase.as_ref()) else { return Ok(()) };
    if kind.locked.is_empty() && phase.to != "gone" {
        return Ok(());
    }
    let code = if kind.locked.is_empty() { "Conflict" } else { kind.locked };
    let message =
        format!("Cannot modify '{}' because there is an operation in progress on it. Please try again later.", id.name());
    Err(AzureError::conflict(code, message))
}

/// The resource as the client wants it: the body alone, or merged into the wish of before (RFC 7396).
fn wanted(body: &Value, before: Option<&Object>) -> Value {
    let mut wanted = before.and_then(|before| before.hidden.get("wanted")).cloned().unwrap_or_else(|| json!({}));
    for field in SETTABLE {
        if let Some(value) = body.get(field) {
            merge(&mut wanted, field, value);
        }
    }
    wanted
}

fn merge(target: &mut Value, field: &str, value: &Value) {
    let Some(members) = target.as_object_mut() else { return };
    match value {
        Value::Null => {
            members.remove(field);
        }
        Value::Object(inner) => {
            let place = members.entry(field).or_insert_with(|| json!({}));
            if !place.is_object() {
                *place = json!({});
            }
            for (name, value) in inner {
                merge(place, name, value);
            }
        }
        other => {
            members.insert(field.to_owned(), other.clone());
        }
    }
}

fn check(kind: &Kind, wanted: &Value, before: Option<&Object>) -> Result<(), AzureError> {
    let location = location_of(wanted);
    if kind.located && location.is_empty() {
        return Err(AzureError::invalid("LocationRequired", "The location property is required for this definition."));
    }
    if let Some(before) = before.filter(|before| kind.located && location_of(&before.body) != location) {
        let message = format!("The resource already exists in location '{}' and cannot be moved.", location_of(&before.body));
        return Err(AzureError::conflict("InvalidResourceLocation", message));
    }
    let lacking = kind.required.iter().find(|place| wanted.pointer(place).is_none_or(Value::is_null));
    match lacking {
        None => Ok(()),
        Some(place) => {
            let message = format!("Required property '{}' not found in JSON.", place.trim_start_matches('/').replace('/', "."));
            Err(AzureError::invalid("InvalidRequestContent", message))
        }
    }
}

fn store(context: &mut Context<'_>, kind: &'static Kind, id: &Id, wanted: Value, before: Option<&Object>) {
    let mut body = wanted.clone();
    for place in kind.write_only {
        if let Some((parent, name)) = place.rsplit_once('/')
            && let Some(parent) = body.pointer_mut(parent).and_then(Value::as_object_mut)
        {
            parent.remove(name);
        }
    }
    body["id"] = json!(before.map_or(id.path.as_str(), |before| before.text("/id")));
    body["name"] = json!(id.name());
    body["type"] = json!(kind.name);
    let mut object = Object::new(kind.name, body);
    let made = before.map_or_else(|| json!(context.state.stamp()), |before| before.hidden["made"].clone());
    object.hidden = before.map_or_else(|| json!({}), |before| before.hidden.clone());
    object.hidden["made"] = made;
    object.hidden["wanted"] = wanted;
    object.hidden["failure"] = Value::Null;
    object.version = before.map_or(1, |before| before.version + 1);
    (kind.outputs)(context, id, &mut object);
    context.state.azure.insert(id.key(), object);
}

/// Begins the change of what was stored, and answers.
fn begin(context: &mut Context<'_>, kind: &'static Kind, id: &Id, change: Change) -> Answer {
    let key = id.key();
    let is_now = change.style == kind::Style::Now;
    let phase = (!is_now).then(|| context.phase(kind.name, "ready"));
    if let Some(object) = context.state.azure.get_mut(&key) {
        object.phase = phase;
        set_state(kind, object, if is_now { "Succeeded" } else { kind.busy });
    }
    if is_now {
        (kind.settle)(context, &key);
    }
    let body = context.state.azure.get(&key).map(|object| object.body.clone()).unwrap_or_default();
    operation::begin(context, change, &key, &location_of(&body), &body)
}

fn set_state(kind: &Kind, object: &mut Object, state: &str) {
    if !kind.busy.is_empty() {
        object.body["properties"]["provisioningState"] = json!(state);
    }
}

fn delete(context: &mut Context<'_>, kind: &'static Kind, id: &Id) -> Outcome {
    context.need(&format!("{}/delete", kind.name), &id.path)?;
    let key = id.key();
    settle(context, &key, false);
    let Some(before) = context.state.azure.get(&key).cloned() else {
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    };
    let is_going = before.phase.as_ref().is_some_and(|phase| phase.to == "gone");
    if !is_going {
        check_free(kind, id, Some(&before))?;
        (kind.leave)(context, id)?;
    }
    if kind.delete.style == kind::Style::Now {
        remove(context, &key);
        let status = StatusCode::from_u16(kind.delete.status).unwrap_or(StatusCode::OK);
        return Ok(if kind.delete.body { Answer::json(status, &before.body) } else { Answer::empty(status) });
    }
    let phase = context.phase(kind.name, "gone");
    if let Some(object) = context.state.azure.get_mut(&key).filter(|_| !is_going) {
        object.phase = Some(phase);
        set_state(kind, object, "Deleting");
    }
    Ok(operation::begin(context, kind.delete, &key, &location_of(&before.body), &Value::Null))
}

/// Removes a resource with everything below it.
pub(super) fn remove(context: &mut Context<'_>, key: &str) {
    for (_, object) in context.state.azure.remove_below(&format!("{key}/")) {
        if let Some(kind) = kind::find(&object.kind) {
            (kind.gone)(context, &object);
        }
    }
    if let Some(object) = context.state.azure.remove(key)
        && let Some(kind) = kind::find(&object.kind)
    {
        (kind.gone)(context, &object);
    }
}

/// Lets a change go on; `asked` counts this as a question.
pub(super) fn settle(context: &mut Context<'_>, key: &str, asked: bool) {
    let now = context.state.millis();
    let Some(object) = context.state.azure.get(key) else { return };
    let Some(kind) = kind::find(&object.kind) else { return groups::settle(context, key, asked) };
    if object.phase.is_none() {
        // Its parts may have changed by themselves.
        (kind.settle)(context, key);
        return;
    }
    let Some(phase) = context.state.azure.get_mut(key).and_then(|object| object.phase.as_mut()) else { return };
    let is_over = if asked { phase.poll(now) } else { phase.is_over(now) };
    let phase = phase.clone();
    if !is_over {
        return;
    }
    let settled = match (&phase.ending, phase.to.as_str()) {
        (Ending::Fail { code, message }, _) => Settled::Failed(code.clone(), message.clone()),
        (_, "gone") => return remove(context, key),
        _ => (kind.settle)(context, key),
    };
    finish(context, kind, key, settled);
}

fn finish(context: &mut Context<'_>, kind: &'static Kind, key: &str, settled: Settled) {
    let Some(object) = context.state.azure.get_mut(key) else { return };
    match settled {
        Settled::Done => {
            object.phase = None;
            set_state(kind, object, "Succeeded");
        }
        Settled::Failed(code, message) => {
            object.phase = None;
            object.hidden["failure"] = json!({"code": code, "message": message});
            set_state(kind, object, "Failed");
        }
    }
}
