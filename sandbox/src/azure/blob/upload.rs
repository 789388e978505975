//! Uploads in blocks.

use http::{Method, StatusCode};
use serde_json::json;

use super::blobs::{metadata_of, properties_of, store};
use super::xml::leaves;
use super::{BLOCKS, BlobError, Outcome, Request};
use crate::http::Answer;
use crate::world::Object;

fn key(request: &Request<'_>) -> String {
    format!("{}/blocks/{}", request.container_key(), request.blob)
}

/// Takes a block.
pub(super) fn block(request: &mut Request<'_>) -> Outcome {
    request.need("containers/blobs/write")?;
    request.need_container()?;
    let id = request.call.parameter("blockid").unwrap_or_default().to_owned();
    if request.call.method != Method::PUT || id.is_empty() {
        return Err(BlobError::unsupported());
    }
    let digest = request.blobs.put(&request.call.body)?;
    let key = key(request);
    if !request.state.azure.contains(&key) {
        request.state.azure.insert(key.clone(), Object::new(BLOCKS, json!({})));
    }
    if let Some(blocks) = request.state.azure.get_mut(&key) {
        blocks.hidden[&id] = json!(digest);
    }
    Ok(Answer::empty(StatusCode::CREATED))
}

/// Makes a blob of the blocks that were taken.
pub(super) fn block_list(request: &mut Request<'_>) -> Outcome {
    request.need("containers/blobs/write")?;
    request.need_container()?;
    if request.call.method != Method::PUT {
        return Err(BlobError::unsupported());
    }
    let key = key(request);
    let blocks = request.state.azure.get(&key).map(|blocks| blocks.hidden.clone()).unwrap_or_default();
    let mut bytes = Vec::new();
    for (_, id) in leaves(&request.call.body) {
        let unknown = || BlobError::invalid("InvalidBlockList", "The specified block list is invalid.");
        let digest = blocks.get(&id).and_then(serde_json::Value::as_str).ok_or_else(unknown)?;
        bytes.extend(request.blobs.get(digest)?);
    }
    let (properties, metadata) = (properties_of(request, false), metadata_of(request));
    let answer = store(request, properties, &metadata, &bytes)?;
    request.state.azure.remove(&key);
    Ok(answer)
}
