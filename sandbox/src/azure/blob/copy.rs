//! Copies within the blob service.

use http::StatusCode;
use serde_json::{Map, Value};

use super::blobs::{HEADERS, metadata_of, properties_of, store};
use super::request::{account_key, blob_key};
use super::{BlobError, Outcome, Request};
use crate::http::decode_path;
use crate::world::Object;

/// Copies a blob: `Copy Blob`, or with `x-ms-blob-type` `Put Blob From URL`, which needs credentials for its source.
pub(super) fn answer(request: &mut Request<'_>) -> Outcome {
    request.need("containers/blobs/write")?;
    let is_put = request.call.header("x-ms-blob-type") == "BlockBlob";
    if is_put && request.call.header("x-ms-copy-source-authorization").is_empty() {
        let message = "This request is not authorized to read the source: x-ms-copy-source-authorization is missing.";
        return Err(BlobError::new(StatusCode::UNAUTHORIZED, "CannotVerifyCopySource", message));
    }
    request.need("containers/blobs/read")?;
    let source = source(request)?;
    let bytes = request.blobs.get(source.secret("blob"))?;
    let given = metadata_of(request);
    let metadata = if given.is_empty() { members(&source.body["metadata"]) } else { given };
    let properties = if is_put { merged(request, &source) } else { kept(&source) };
    let mut answer = store(request, properties, &metadata, &bytes)?;
    if !is_put {
        answer.status = StatusCode::ACCEPTED;
        answer = answer.with("x-ms-copy-id", &uuid::Uuid::new_v4().to_string()).with("x-ms-copy-status", "success");
    }
    Ok(answer)
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Properties that a copy takes over.
fn kept(source: &Object) -> Map<String, Value> {
    let names = HEADERS.iter().map(|(_, _, name)| *name);
    names.filter_map(|name| Some((name.to_owned(), source.body["properties"].get(name)?.clone()))).collect()
}

/// Properties of the source, and those that the call sets in place of them.
fn merged(request: &Request<'_>, source: &Object) -> Map<String, Value> {
    let mut properties = kept(source);
    let given = HEADERS.iter().filter(|(header, _, _)| !request.call.header(header).is_empty()).map(|(_, _, name)| *name);
    let own = properties_of(request, false);
    for name in given {
        properties.insert(name.to_owned(), own[name].clone());
    }
    properties
}

/// The blob that `x-ms-copy-source` names.
fn source(request: &Request<'_>) -> Result<Object, BlobError> {
    let invalid = || BlobError::invalid("InvalidHeaderValue", "The value for x-ms-copy-source is no address of a blob.");
    let url: url::Url = request.call.header("x-ms-copy-source").parse().map_err(|_| invalid())?;
    // A client that reaches the sandbox by a path prefix or by `.localhost` writes its addresses in the same way.
    let (host, path) = match url.path().strip_prefix("/_host/").and_then(|rest| rest.split_once('/')) {
        Some((host, path)) => (host.to_owned(), path.to_owned()),
        None => (url.host_str().unwrap_or_default().to_owned(), url.path().trim_start_matches('/').to_owned()),
    };
    let account = host.split('.').next().unwrap_or_default();
    let (container, blob) = path.split_once('/').ok_or_else(invalid)?;
    let missing = || BlobError::new(StatusCode::NOT_FOUND, "CannotVerifyCopySource", "The specified blob does not exist.");
    let account = account_key(request.state, account).ok_or_else(missing)?;
    let key = blob_key(&account, &decode_path(container), &decode_path(blob));
    request.state.azure.get(&key).cloned().ok_or_else(missing)
}
