//! Buckets.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BUCKET, bucket_key, object_key};
use crate::google::context::page;
use crate::google::region::project_number;
use crate::google::{Context, GoogleError, Outcome, policy};
use crate::http::Answer;
use crate::world::Object;

/// Lists buckets or makes one.
pub(super) fn collection(context: &mut Context<'_>) -> Outcome {
    match context.call.method {
        Method::POST => create(context),
        Method::GET => list(context),
        _ => Err(context.unknown_method()),
    }
}

fn project(context: &Context<'_>) -> Result<String, GoogleError> {
    let project = context.call.parameter("project").unwrap_or_default();
    if project.is_empty() { Err(GoogleError::invalid("Required parameter: project")) } else { Ok(project.to_owned()) }
}

/// Names as <https://cloud.google.com/storage/docs/buckets#naming> demands them, without those with dots.
fn is_name(name: &str) -> bool {
    let ends = |end: Option<char>| end.is_some_and(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        && ends(name.chars().next())
        && ends(name.chars().last())
        && !name.starts_with("goog")
        && !name.contains("google")
}

fn create(context: &mut Context<'_>) -> Outcome {
    let project = project(context)?;
    context.need_api(&project)?;
    context.need("storage.buckets.create", &format!("projects/{project}"))?;
    let mut body = context.body()?;
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !is_name(&name) {
        return Err(GoogleError::invalid(format!("Invalid bucket name: '{name}'")));
    }
    let key = bucket_key(&name);
    if context.state.google.contains(&key) {
        let message = "Your previous request to create the named bucket succeeded and you already own it.";
        return Err(GoogleError::conflict(message));
    }
    let (stamp, location) =
        (context.state.stamp(), body.get("location").and_then(Value::as_str).unwrap_or("US").to_ascii_uppercase());
    let fields = json!({
        "kind": "storage#bucket", "id": name, "selfLink": format!("https://www.googleapis.com/storage/v1/b/{name}"),
        "projectNumber": project_number(&project), "metageneration": "1", "location": location,
        "locationType": if matches!(location.as_str(), "US" | "EU" | "ASIA") { "multi-region" } else { "region" },
        "timeCreated": stamp, "updated": stamp, "etag": "CAE=",
    });
    if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
        body.entry("storageClass").or_insert_with(|| json!("STANDARD"));
        body.extend(fields);
    }
    context.state.google.insert(key, Object::new(BUCKET, body.clone()).hiding(json!({"project": project})));
    Ok(Answer::ok(&body))
}

fn list(context: &mut Context<'_>) -> Outcome {
    let project = project(context)?;
    context.need_api(&project)?;
    context.need("storage.buckets.list", &format!("projects/{project}"))?;
    let prefix = bucket_key(context.call.parameter("prefix").unwrap_or_default());
    let buckets =
        context.state.google.below(&prefix).filter(|(_, object)| object.kind == BUCKET && object.secret("project") == project);
    let buckets = buckets.map(|(key, object)| (key.clone(), object.body.clone())).collect();
    let (items, next) = page(context.call, "maxResults", buckets);
    let mut body = json!({"kind": "storage#buckets", "items": items});
    if let Some(next) = next {
        body["nextPageToken"] = json!(next);
    }
    Ok(Answer::ok(&body))
}

/// The key of a bucket that exists and that the caller may use in this way.
pub(super) fn find(context: &Context<'_>, bucket: &str, permission: &str) -> Result<String, GoogleError> {
    let key = bucket_key(bucket);
    let missing = || GoogleError::not_found("The specified bucket does not exist.");
    let object = context.state.google.get(&key).ok_or_else(missing)?;
    context.need_api(object.secret("project"))?;
    context.need(permission, &format!("projects/_/buckets/{bucket}"))?;
    Ok(key)
}

/// Gives, changes or removes a bucket.
pub(super) fn one(context: &mut Context<'_>, bucket: &str) -> Outcome {
    match context.call.method {
        Method::GET => {
            let key = find(context, bucket, "storage.buckets.get")?;
            Ok(Answer::ok(&context.state.google.get(&key).map(|object| object.body.clone()).unwrap_or_default()))
        }
        Method::PATCH | Method::PUT => update(context, bucket),
        Method::DELETE => {
            let key = find(context, bucket, "storage.buckets.delete")?;
            if context.state.google.below(&object_key(bucket, "")).next().is_some() {
                return Err(GoogleError::conflict("The bucket you tried to delete is not empty."));
            }
            context.state.google.remove(&key);
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(context.unknown_method()),
    }
}

/// Fields that no update changes.
const FIXED: [&str; 5] = ["name", "id", "location", "timeCreated", "projectNumber"];

fn update(context: &mut Context<'_>, bucket: &str) -> Outcome {
    let key = find(context, bucket, "storage.buckets.update")?;
    let (wanted, stamp) = (context.body()?, context.state.stamp());
    let object =
        context.state.google.get_mut(&key).ok_or_else(|| GoogleError::not_found("The specified bucket does not exist."))?;
    let metageneration = object.text("/metageneration").to_owned();
    if context.call.parameter("ifMetagenerationMatch").is_some_and(|wanted| wanted != metageneration) {
        return Err(GoogleError::condition("At least one of the pre-conditions you specified did not hold."));
    }
    for (field, value) in wanted.as_object().into_iter().flatten().filter(|(field, _)| !FIXED.contains(&field.as_str())) {
        match (object.body.get_mut(field).and_then(Value::as_object_mut), value) {
            (Some(current), Value::Object(changes)) => {
                current.extend(changes.clone());
                current.retain(|_, value| !value.is_null());
            }
            _ => object.body[field] = value.clone(),
        }
    }
    let next = metageneration.parse::<u64>().unwrap_or(1) + 1;
    object.body["metageneration"] = json!(next.to_string());
    object.body["updated"] = json!(stamp);
    Ok(Answer::ok(&object.body))
}

/// Gives or replaces the policy of a bucket.
pub(super) fn policy(context: &mut Context<'_>, bucket: &str) -> Outcome {
    let mut body = match context.call.method {
        Method::GET => {
            let key = find(context, bucket, "storage.buckets.getIamPolicy")?;
            policy::get(context.state, &key)
        }
        Method::PUT => {
            let key = find(context, bucket, "storage.buckets.setIamPolicy")?;
            let wanted = context.body()?;
            policy::set(context, &key, &wanted)?
        }
        _ => return Err(context.unknown_method()),
    };
    body["kind"] = json!("storage#policy");
    body["resourceId"] = json!(format!("projects/_/buckets/{bucket}"));
    Ok(Answer::ok(&body))
}

/// The permissions of a list that the caller has on a bucket.
pub(super) fn test_permissions(context: &mut Context<'_>, bucket: &str) -> Outcome {
    find(context, bucket, "storage.buckets.get")?;
    let wanted: Vec<_> =
        context.call.query.iter().filter(|(name, _)| name == "permissions").map(|(_, value)| json!(value)).collect();
    let mut body = policy::granted(context, &json!({"permissions": wanted}));
    body["kind"] = json!("storage#testIamPermissionsResponse");
    Ok(Answer::ok(&body))
}
