//! Functions of CloudFront, in their two stages. Their code is kept and not run.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::error::CloudFrontError;
use super::{Outcome, all, bump, check_etag, document, etag, is_used, written};
use crate::aws::ACCOUNT;
use crate::aws::xml::{Element, escaped};
use crate::http::{Answer, Call};
use crate::world::{Object, State};

/// Kind of a function.
pub(in crate::aws) const FUNCTION: &str = "cloudfront.functions";

/// Stage that distributions run.
pub(in crate::aws) const LIVE: &str = "live";

fn key(name: &str) -> String {
    format!("cloudfront/function/{name}")
}

fn missing() -> CloudFrontError {
    CloudFrontError::missing("NoSuchFunctionExists", "The specified function does not exist.")
}

/// Answers a call about functions.
pub(super) fn answer(state: &mut State, call: &Call, rest: &[&str]) -> Outcome {
    match (&call.method, rest) {
        (&Method::POST, []) => create(state, call),
        (&Method::GET, []) => Ok(list(state, call)),
        (&Method::GET, [name]) => {
            let object = find(state, name)?;
            let code = stage(call, object)?["code"].as_str().unwrap_or_default().to_owned();
            let code = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, code).unwrap_or_default();
            Ok(Answer::bytes(StatusCode::OK, "application/octet-stream", code).with("etag", &etag(object)))
        }
        (&Method::GET, [name, "describe"]) => {
            let object = find(state, name)?;
            let summary = summary(object, stage(call, object)?, stage_name(call));
            Ok(summary_answer(&summary, StatusCode::OK).with("etag", &etag(object)))
        }
        (&Method::PUT, [name]) => update(state, call, name),
        (&Method::POST, [name, "publish"]) => publish(state, call, name),
        (&Method::DELETE, [name]) => delete(state, call, name),
        _ => Err(CloudFrontError::unknown()),
    }
}

fn find<'s>(state: &'s State, name: &str) -> Result<&'s Object, CloudFrontError> {
    state.aws.get(&key(name)).ok_or_else(missing)
}

fn stage_name(call: &Call) -> &'static str {
    if call.parameter("Stage") == Some("LIVE") { "LIVE" } else { "DEVELOPMENT" }
}

fn stage<'o>(call: &Call, object: &'o Object) -> Result<&'o Value, CloudFrontError> {
    let stage = if stage_name(call) == "LIVE" { &object.hidden[LIVE] } else { &object.hidden["development"] };
    if stage.is_null() { Err(missing()) } else { Ok(stage) }
}

/// Settings and code that a body gives.
fn given(call: &Call, root: &str, stamp: &str) -> Result<Value, CloudFrontError> {
    let body = document(call, root)?;
    let config = body.at("FunctionConfig").ok_or_else(|| CloudFrontError::malformed("FunctionConfig is missing"))?;
    let code = body.text_at("FunctionCode");
    if code.is_empty() {
        return Err(CloudFrontError::malformed("FunctionCode is missing"));
    }
    if code.len() / 4 * 3 > 10_240 {
        return Err(CloudFrontError::invalid("FunctionSizeLimitExceeded", "The function is too large: at most 10 KB."));
    }
    Ok(json!({"config": config.write(), "code": code, "modified": stamp}))
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let stamp = state.stamp();
    let development = given(call, "CreateFunctionRequest", &stamp)?;
    let name = document(call, "CreateFunctionRequest")?.text_at("Name").to_owned();
    if name.is_empty() || state.aws.contains(&key(&name)) {
        let message = "A function with the same name already exists in this AWS account.";
        return Err(CloudFrontError::conflict("FunctionAlreadyExists", message));
    }
    let body = json!({"name": name, "arn": format!("arn:aws:cloudfront::{ACCOUNT}:function/{name}")});
    let object = Object::new(FUNCTION, body).hiding(json!({"development": development, "created": stamp, "generation": 1}));
    let location = format!("https://cloudfront.amazonaws.com/{}/function/{name}", super::VERSION);
    let summary = summary(&object, &object.hidden["development"], "DEVELOPMENT");
    let answer = summary_answer(&summary, StatusCode::CREATED).with("etag", &etag(&object)).with("location", &location);
    state.aws.insert(key(&name), object);
    Ok(answer)
}

fn update(state: &mut State, call: &Call, name: &str) -> Outcome {
    let stamp = state.stamp();
    let development = given(call, "UpdateFunctionRequest", &stamp)?;
    check_etag(call, find(state, name)?)?;
    let object = state.aws.get_mut(&key(name)).ok_or_else(missing)?;
    object.hidden["development"] = development;
    bump(object);
    let summary = summary(object, &object.hidden["development"], "DEVELOPMENT");
    Ok(summary_answer(&summary, StatusCode::OK).with("etag", &etag(object)))
}

fn publish(state: &mut State, call: &Call, name: &str) -> Outcome {
    check_etag(call, find(state, name)?)?;
    let object = state.aws.get_mut(&key(name)).ok_or_else(missing)?;
    object.hidden[LIVE] = object.hidden["development"].clone();
    let summary = summary(object, &object.hidden[LIVE], "LIVE");
    Ok(summary_answer(&summary, StatusCode::OK))
}

fn delete(state: &mut State, call: &Call, name: &str) -> Outcome {
    let object = find(state, name)?;
    check_etag(call, object)?;
    if is_used(state, object.text("/arn")) {
        return Err(CloudFrontError::conflict(
            "FunctionInUse",
            "Cannot delete the function because it's attached to one or more cache behaviors.",
        ));
    }
    state.aws.remove(&key(name));
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn summary(object: &Object, stage: &Value, name: &str) -> String {
    let text = |field: &str| stage[field].as_str().unwrap_or_default().to_owned();
    let status = if object.hidden[LIVE].is_null() { "UNPUBLISHED" } else { "DEPLOYED" };
    format!(
        "<Name>{}</Name><Status>{status}</Status>{}<FunctionMetadata><FunctionARN>{}</FunctionARN><Stage>{name}</Stage><CreatedTime>{}\
         </CreatedTime><LastModifiedTime>{}</LastModifiedTime></FunctionMetadata>",
        escaped(object.text("/name")),
        text("config"),
        object.text("/arn"),
        object.secret("created"),
        text("modified")
    )
}

fn summary_answer(summary: &str, status: StatusCode) -> Answer {
    Answer::xml(status, written(summary, "FunctionSummary"))
}

fn list(state: &State, call: &Call) -> Answer {
    let wanted = if stage_name(call) == "LIVE" { LIVE } else { "development" };
    let stages = all(state, FUNCTION).map(|(_, object)| (object, &object.hidden[wanted])).filter(|(_, stage)| !stage.is_null());
    let items: Vec<_> = stages
        .map(|(object, stage)| format!("<FunctionSummary>{}</FunctionSummary>", summary(object, stage, stage_name(call))))
        .collect();
    let list = if items.is_empty() { String::new() } else { format!("<Items>{}</Items>", items.concat()) };
    let inner = format!("<MaxItems>100</MaxItems><Quantity>{}</Quantity>{list}", items.len());
    Answer::xml(StatusCode::OK, written(&inner, "FunctionList"))
}

/// ARNs of the stores that the live stage of a function reads.
pub(in crate::aws) fn stores_of(function: &Object) -> Vec<String> {
    let config =
        function.hidden[LIVE]["config"].as_str().and_then(|config| Element::parse(config.as_bytes())).unwrap_or_default();
    config.items("KeyValueStoreAssociations/Items").iter().map(|item| item.text_at("KeyValueStoreARN").to_owned()).collect()
}
