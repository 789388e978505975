//! Key-value stores, as things; their data has an API of its own.

use http::{Method, StatusCode};
use serde_json::json;

use super::error::CloudFrontError;
use super::functions::stores_of;
use super::{FUNCTION, Outcome, all, bump, check_etag, document, etag, written};
use crate::aws::ACCOUNT;
use crate::aws::xml::escaped;
use crate::http::{Answer, Call};
use crate::world::{Object, Phase, State};

/// Kind of a key-value store.
pub(in crate::aws) const STORE: &str = "cloudfront.keyValueStores";

fn key(name: &str) -> String {
    format!("cloudfront/store/{name}")
}

/// Key of the store with this ARN.
pub(in crate::aws) fn key_of_arn(state: &State, arn: &str) -> Option<String> {
    all(state, STORE).find(|(_, store)| store.text("/arn") == arn).map(|(key, _)| key.clone())
}

fn missing() -> CloudFrontError {
    CloudFrontError::missing("EntityNotFound", "The key value store does not exist.")
}

/// Answers a call about key-value stores.
pub(super) fn answer(state: &mut State, call: &Call, rest: &[&str]) -> Outcome {
    match (&call.method, rest) {
        (&Method::POST, []) => create(state, call),
        (&Method::GET, []) => Ok(list(state)),
        (&Method::GET, [name]) => {
            let now = state.millis();
            let object = state.aws.get_mut(&key(name)).ok_or_else(missing)?;
            if object.phase.as_mut().is_some_and(|phase| phase.poll(now)) {
                object.phase = None;
            }
            Ok(full(object, StatusCode::OK))
        }
        (&Method::PUT, [name]) => {
            let comment = document(call, "UpdateKeyValueStoreRequest")?.text_at("Comment").to_owned();
            let object = state.aws.get_mut(&key(name)).ok_or_else(missing)?;
            check_etag(call, object)?;
            object.hidden["comment"] = json!(comment);
            bump(object);
            Ok(full(object, StatusCode::OK))
        }
        (&Method::DELETE, [name]) => delete(state, call, name),
        _ => Err(CloudFrontError::unknown()),
    }
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let body = document(call, "CreateKeyValueStoreRequest")?;
    let name = body.text_at("Name").to_owned();
    let is_name =
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_name {
        return Err(CloudFrontError::malformed("Name is missing or not valid."));
    }
    if state.aws.contains(&key(&name)) {
        return Err(CloudFrontError::conflict("EntityAlreadyExists", "A key value store of this name already exists."));
    }
    let id = uuid::Uuid::new_v4().to_string();
    let described = json!({"name": name, "id": id, "arn": format!("arn:aws:cloudfront::{ACCOUNT}:key-value-store/{id}")});
    let hidden = json!({
        "comment": body.text_at("Comment"), "pairs": {}, "generation": 1, "data_version": 1, "modified": state.stamp(),
        "epoch": state.millis() / 1000,
    });
    let mut object = Object::new(STORE, described).hiding(hidden);
    object.phase = Some(Phase::new("ready", state.behaviours.of(STORE), state.millis()));
    let location = format!("https://cloudfront.amazonaws.com/{}/key-value-store/{name}", super::VERSION);
    let answer = full(&object, StatusCode::CREATED).with("location", &location);
    state.aws.insert(key(&name), object);
    Ok(answer)
}

fn delete(state: &mut State, call: &Call, name: &str) -> Outcome {
    let object = state.aws.get(&key(name)).ok_or_else(missing)?;
    check_etag(call, object)?;
    let arn = object.text("/arn").to_owned();
    if all(state, FUNCTION).any(|(_, function)| stores_of(function).contains(&arn)) {
        return Err(CloudFrontError::conflict(
            "CannotDeleteEntityWhileInUse",
            "The key value store is associated with a function.",
        ));
    }
    state.aws.remove(&key(name));
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn inner(object: &Object) -> String {
    format!(
        "<Name>{}</Name><Id>{}</Id><Comment>{}</Comment><ARN>{}</ARN><Status>{}</Status><LastModifiedTime>{}</LastModifiedTime>",
        object.text("/name"),
        object.text("/id"),
        escaped(object.secret("comment")),
        object.text("/arn"),
        if object.phase.is_some() { "PROVISIONING" } else { "READY" },
        object.secret("modified")
    )
}

fn full(object: &Object, status: StatusCode) -> Answer {
    Answer::xml(status, written(&inner(object), "KeyValueStore")).with("etag", &etag(object))
}

fn list(state: &State) -> Answer {
    let items: Vec<_> =
        all(state, STORE).map(|(_, object)| format!("<KeyValueStore>{}</KeyValueStore>", inner(object))).collect();
    let list = if items.is_empty() { String::new() } else { format!("<Items>{}</Items>", items.concat()) };
    let inner = format!("<MaxItems>100</MaxItems><Quantity>{}</Quantity>{list}", items.len());
    Answer::xml(StatusCode::OK, written(&inner, "KeyValueStoreList"))
}
