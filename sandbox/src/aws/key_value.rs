//! Data of CloudFront's key-value stores.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::cloudfront;
use crate::http::{Answer, Call};
use crate::world::{Object, State};

/// Longest value, in bytes (quotas of CloudFront).
const LONGEST: usize = 1024;

/// Error of the data API: status, code and message.
type Refused = (StatusCode, &'static str, String);

/// Answers a call to the data of a store.
pub(super) fn answer(state: &mut State, call: &Call) -> Answer {
    let outcome = respond(state, call);
    outcome.unwrap_or_else(|(status, code, message)| {
        Answer::json(status, &json!({"Message": message})).with("x-amzn-errortype", code)
    })
}

fn respond(state: &mut State, call: &Call) -> Result<Answer, Refused> {
    let parts = call.segments();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["key-value-stores", rest @ ..] = parts.as_slice() else { return Err(unknown("no such resource")) };
    // The store's ARN has a slash of its own, which some clients encode.
    let arn_parts = if rest.first().is_some_and(|part| part.contains('/')) { 1 } else { 2 };
    let (arn, rest) = rest.split_at_checked(arn_parts).ok_or_else(|| unknown("no such store"))?;
    let key = cloudfront::store_key(state, &arn.join("/")).ok_or_else(|| unknown("no such store"))?;
    let object = state.aws.get(&key).ok_or_else(|| unknown("no such store"))?;
    if object.phase.is_some() {
        return Err((StatusCode::CONFLICT, "ConflictException", "The store is being provisioned.".to_owned()));
    }
    match (&call.method, rest) {
        (&Method::GET, []) => Ok(describe(object)),
        (&Method::GET, ["keys"]) => {
            let items: Vec<_> = pairs(object).into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            Ok(Answer::ok(&json!({"Items": items})))
        }
        (&Method::GET, ["keys", name @ ..]) => {
            let pairs = pairs(object);
            let name = name.join("/");
            let value = pairs.get(&name).ok_or_else(|| unknown(&format!("no such key: {name}")))?;
            Ok(Answer::ok(&json!({"Key": name, "Value": value, "ItemCount": pairs.len(), "TotalSizeInBytes": size(&pairs)})))
        }
        (&Method::PUT, ["keys", name @ ..]) => {
            let value = body(call)?["Value"].as_str().unwrap_or_default().to_owned();
            change(state, call, &key, vec![(name.join("/"), Some(value))])
        }
        (&Method::DELETE, ["keys", name @ ..]) => change(state, call, &key, vec![(name.join("/"), None)]),
        (&Method::POST, ["keys"]) => change(state, call, &key, listed(&body(call)?)),
        _ => Err(unknown("no such resource")),
    }
}

fn unknown(message: &str) -> Refused {
    (StatusCode::NOT_FOUND, "ResourceNotFoundException", message.to_owned())
}

fn body(call: &Call) -> Result<Value, Refused> {
    call.json().ok_or((StatusCode::BAD_REQUEST, "ValidationException", "The body is no JSON.".to_owned()))
}

fn listed(body: &Value) -> Vec<(String, Option<String>)> {
    let list = |field: &str| body[field].as_array().cloned().unwrap_or_default();
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let puts = list("Puts").into_iter().map(|entry| (text(&entry, "Key"), Some(text(&entry, "Value"))));
    puts.chain(list("Deletes").into_iter().map(|entry| (text(&entry, "Key"), None))).collect()
}

/// The pairs of a store.
pub(super) fn pairs(store: &Object) -> BTreeMap<String, String> {
    serde_json::from_value(store.hidden["pairs"].clone()).unwrap_or_default()
}

fn size(pairs: &BTreeMap<String, String>) -> usize {
    pairs.iter().map(|(key, value)| key.len() + value.len()).sum()
}

/// Entity tag of the data, which is not that of the store's settings.
fn etag(store: &Object) -> String {
    format!("KV{:012}", store.hidden["data_version"].as_u64().unwrap_or(1))
}

fn describe(store: &Object) -> Answer {
    let pairs = pairs(store);
    let body = json!({
        "ItemCount": pairs.len(), "TotalSizeInBytes": size(&pairs), "KvsARN": store.body["arn"], "Status": "READY",
        "Created": store.hidden["epoch"], "LastModified": store.hidden["epoch"],
    });
    Answer::ok(&body).with("etag", &etag(store))
}

fn change(state: &mut State, call: &Call, key: &str, changes: Vec<(String, Option<String>)>) -> Result<Answer, Refused> {
    let store = state.aws.get(key).ok_or_else(|| unknown("no such store"))?;
    let (given, current) = (call.header("if-match"), etag(store));
    if given.is_empty() {
        return Err((StatusCode::BAD_REQUEST, "ValidationException", "If-Match is missing.".to_owned()));
    }
    if given != current {
        let message = "The entity tag is not that of the store's data: read it again.".to_owned();
        return Err((StatusCode::CONFLICT, "ConflictException", message));
    }
    let mut pairs = pairs(store);
    for (name, value) in changes {
        match value {
            Some(value) if name.is_empty() || value.len() > LONGEST => {
                return Err((
                    StatusCode::BAD_REQUEST,
                    "ValidationException",
                    "A key is empty, or a value longer than 1 KB.".to_owned(),
                ));
            }
            Some(value) => {
                pairs.insert(name, value);
            }
            None => {
                pairs.remove(&name).ok_or_else(|| unknown(&format!("no such key: {name}")))?;
            }
        }
    }
    let answer = json!({"ItemCount": pairs.len(), "TotalSizeInBytes": size(&pairs)});
    let next = store.hidden["data_version"].as_u64().unwrap_or(1) + 1;
    let Some(store) = state.aws.get_mut(key) else { return Err(unknown("no such store")) };
    store.hidden["pairs"] = json!(pairs);
    store.hidden["data_version"] = json!(next);
    Ok(Answer::ok(&answer).with("etag", &etag(store)))
}
