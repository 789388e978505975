//! Objects.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::buckets::find;
use super::crc32c::crc32c;
use super::{OBJECT, object_key, objects_below};
use crate::google::{Context, GoogleError, Outcome};
use crate::http::{Answer, ranged};
use crate::world::{Object, md5_of};

/// Most objects of one page.
const PAGE: usize = 1000;

/// Lists objects, or makes an empty one.
pub(super) fn collection(context: &mut Context<'_>, bucket: &str) -> Outcome {
    match context.call.method {
        Method::GET => list(context, bucket),
        Method::POST => {
            let body = context.body()?;
            store(context, bucket, body, &[])
        }
        _ => Err(context.unknown_method()),
    }
}

fn missing(bucket: &str, name: &str) -> GoogleError {
    GoogleError::not_found(format!("No such object: {bucket}/{name}"))
}

fn list(context: &mut Context<'_>, bucket: &str) -> Outcome {
    find(context, bucket, "storage.objects.list")?;
    let parameter = |name: &str| context.call.parameter(name).unwrap_or_default();
    let (prefix, delimiter, after) = (parameter("prefix"), parameter("delimiter"), parameter("pageToken"));
    let most = parameter("maxResults").parse().ok().filter(|most| *most > 0).unwrap_or(PAGE).min(PAGE);
    let (mut items, mut prefixes, mut last, mut more) = (Vec::new(), Vec::<String>::new(), "", false);
    for (name, object) in objects_below(context.state, bucket, prefix) {
        if !after.is_empty() && name <= after {
            continue;
        }
        if items.len() + prefixes.len() == most {
            more = true;
            break;
        }
        let cut = name[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty());
        match cut.map(|at| &name[..prefix.len() + at + delimiter.len()]) {
            Some(folder) if prefixes.last().is_none_or(|known| known != folder) => prefixes.push(folder.to_owned()),
            Some(_) => {}
            None => items.push(object.body.clone()),
        }
        last = name;
    }
    let mut body = json!({"kind": "storage#objects"});
    if !items.is_empty() {
        body["items"] = json!(items);
    }
    if !prefixes.is_empty() {
        body["prefixes"] = json!(prefixes);
    }
    if more {
        body["nextPageToken"] = json!(last);
    }
    Ok(Answer::ok(&body))
}

/// Gives the metadata or content of an object, changes or removes it.
pub(super) fn one(context: &mut Context<'_>, bucket: &str, name: &str) -> Outcome {
    let key = object_key(bucket, name);
    match context.call.method {
        Method::GET if context.call.parameter("alt") == Some("media") => download(context, bucket, name),
        Method::GET => {
            find(context, bucket, "storage.objects.get")?;
            let object = context.state.google.get(&key).ok_or_else(|| missing(bucket, name))?;
            Ok(Answer::ok(&object.body))
        }
        Method::PATCH | Method::PUT => update(context, bucket, name),
        Method::DELETE => {
            find(context, bucket, "storage.objects.delete")?;
            check_generation(context, &key)?;
            context.state.google.remove(&key).ok_or_else(|| missing(bucket, name))?;
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(context.unknown_method()),
    }
}

/// The content of an object.
pub(super) fn download(context: &mut Context<'_>, bucket: &str, name: &str) -> Outcome {
    find(context, bucket, "storage.objects.get")?;
    let object = context.state.google.get(&object_key(bucket, name)).ok_or_else(|| missing(bucket, name))?;
    let bytes = context.blobs.get(object.secret("blob"))?;
    let kind = object.text("/contentType").to_owned();
    let mut answer = Answer { body: bytes.into(), ..Answer::empty(StatusCode::OK) };
    answer = answer.with("content-type", if kind.is_empty() { "application/octet-stream" } else { &kind });
    answer = answer.with("x-goog-generation", object.text("/generation"));
    let hash = format!("crc32c={},md5={}", object.text("/crc32c"), object.text("/md5Hash"));
    let unsatisfiable = |_| GoogleError::unsatisfiable("The requested range cannot be satisfied.");
    ranged(context.call.header("range"), answer.with("x-goog-hash", &hash)).map_err(unsatisfiable)
}

/// Fields that an update changes.
const CHANGEABLE: [&str; 7] =
    ["contentType", "cacheControl", "contentEncoding", "contentDisposition", "contentLanguage", "metadata", "customTime"];

fn update(context: &mut Context<'_>, bucket: &str, name: &str) -> Outcome {
    find(context, bucket, "storage.objects.update")?;
    let (wanted, stamp) = (context.body()?, context.state.stamp());
    let object = context.state.google.get_mut(&object_key(bucket, name)).ok_or_else(|| missing(bucket, name))?;
    for (field, value) in wanted.as_object().into_iter().flatten().filter(|(field, _)| CHANGEABLE.contains(&field.as_str())) {
        object.body[field] = value.clone();
    }
    let next = object.text("/metageneration").parse::<u64>().unwrap_or(1) + 1;
    object.body["metageneration"] = json!(next.to_string());
    object.body["updated"] = json!(stamp);
    Ok(Answer::ok(&object.body))
}

/// Checks `ifGenerationMatch`, where 0 stands for an object that does not exist.
fn check_generation(context: &Context<'_>, key: &str) -> Result<(), GoogleError> {
    let Some(wanted) = context.call.parameter("ifGenerationMatch") else { return Ok(()) };
    let current = context.state.google.get(key).map_or("0", |object| object.text("/generation"));
    if current == wanted {
        return Ok(());
    }
    Err(GoogleError::condition("At least one of the pre-conditions you specified did not hold."))
}

/// Stores an object under the name in its metadata.
pub(super) fn store(context: &mut Context<'_>, bucket: &str, metadata: Value, bytes: &[u8]) -> Outcome {
    find(context, bucket, "storage.objects.create")?;
    let name = metadata.get("name").and_then(Value::as_str).or(context.call.parameter("name")).unwrap_or_default().to_owned();
    if name.is_empty() || name.len() > 1024 {
        return Err(GoogleError::invalid("Required: the name of the object, at most 1024 bytes."));
    }
    let key = object_key(bucket, &name);
    check_generation(context, &key)?;
    if let Some(given) = metadata.get("crc32c").and_then(Value::as_str)
        && given != crc32c(bytes)
    {
        return Err(GoogleError::invalid(format!(
            "Provided CRC32C \"{given}\" doesn't match calculated CRC32C \"{}\".",
            crc32c(bytes)
        )));
    }
    let blob = context.blobs.put(bytes)?;
    let mut body = describe(context, bucket, &name, bytes);
    if let (Some(body), Value::Object(given)) = (body.as_object_mut(), metadata) {
        for (field, value) in given {
            body.entry(field).or_insert(value);
        }
    }
    context.state.google.insert(key, Object::new(OBJECT, body.clone()).hiding(json!({"blob": blob})));
    Ok(Answer::ok(&body))
}

fn describe(context: &Context<'_>, bucket: &str, name: &str, bytes: &[u8]) -> Value {
    let (stamp, generation) = (context.state.stamp(), context.state.now().timestamp_micros().to_string());
    let path = crate::http::encode_path(name);
    json!({
        "kind": "storage#object", "id": format!("{bucket}/{name}/{generation}"), "name": name, "bucket": bucket,
        "selfLink": format!("https://www.googleapis.com/storage/v1/b/{bucket}/o/{path}"),
        "mediaLink": format!("{}/download/storage/v1/b/{bucket}/o/{path}?generation={generation}&alt=media", context.call.base()),
        "generation": generation, "metageneration": "1", "storageClass": "STANDARD", "size": bytes.len().to_string(),
        "crc32c": crc32c(bytes), "md5Hash": md5_of(bytes), "etag": generation, "timeCreated": stamp, "updated": stamp, "timeStorageClassUpdated": stamp,
    })
}

/// Copies an object; `rewrite` gives the answer of the newer method.
pub(super) fn copy(context: &mut Context<'_>, from: (&str, &str), to: (&str, &str), rewrite: bool) -> Outcome {
    find(context, from.0, "storage.objects.get")?;
    let source = context.state.google.get(&object_key(from.0, from.1)).ok_or_else(|| missing(from.0, from.1))?;
    let (bytes, mut metadata) = (context.blobs.get(source.secret("blob"))?, json!({"name": to.1}));
    for field in ["contentType", "cacheControl", "contentEncoding", "contentDisposition", "metadata"] {
        if let Some(value) = source.body.get(field) {
            metadata[field] = value.clone();
        }
    }
    if let Value::Object(given) = context.body()? {
        given.into_iter().for_each(|(field, value)| metadata[field] = value);
    }
    let answer = store(context, to.0, metadata, &bytes)?;
    if !rewrite {
        return Ok(answer);
    }
    let size = bytes.len().to_string();
    let resource: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(Answer::ok(&json!({
        "kind": "storage#rewriteResponse", "done": true, "totalBytesRewritten": size, "objectSize": size, "resource": resource,
    })))
}
