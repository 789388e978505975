//! Containers.

use http::{Method, StatusCode};
use serde_json::json;

use super::blobs::http_date;
use super::request::container_key;
use super::{BlobError, Outcome, Request};
use crate::azure::types::{BLOB_CONTAINER, is_container};
use crate::http::Answer;
use crate::world::Object;

/// Makes, describes or removes a container.
pub(super) fn one(request: &mut Request<'_>) -> Outcome {
    match request.call.method {
        Method::PUT => {
            request.need("containers/write")?;
            if !is_container(&request.container) {
                return Err(BlobError::invalid(
                    "InvalidResourceName",
                    "The specified resource name contains invalid characters.",
                ));
            }
            if request.state.azure.contains(&request.container_key()) {
                return Err(BlobError::conflict("ContainerAlreadyExists", "The specified container already exists."));
            }
            let name = request.container.clone();
            make(request, &name);
            Ok(dated(request, Answer::empty(StatusCode::CREATED)))
        }
        Method::GET | Method::HEAD => {
            request.need("containers/read")?;
            request.need_container()?;
            Ok(dated(request, Answer::empty(StatusCode::OK)))
        }
        Method::DELETE => {
            request.need("containers/delete")?;
            request.need_container()?;
            let key = request.container_key();
            request.state.azure.remove_below(&format!("{key}/"));
            request.state.azure.remove(&key);
            Ok(Answer::empty(StatusCode::ACCEPTED))
        }
        _ => Err(BlobError::unsupported()),
    }
}

fn dated(request: &Request<'_>, answer: Answer) -> Answer {
    answer.with("etag", "\"0x8DE000000000001\"").with("last-modified", &http_date(request.state))
}

/// Makes a container, as the resource that it also is.
pub(super) fn make(request: &mut Request<'_>, name: &str) {
    let account = request.state.azure.get(&request.account_key).map(|account| account.text("/id").to_owned()).unwrap_or_default();
    let stamp = request.state.stamp();
    let body = json!({
        "id": format!("{account}/blobServices/default/containers/{name}"), "name": name, "type": BLOB_CONTAINER.name,
        "properties": {"publicAccess": "None", "lastModifiedTime": stamp},
    });
    let hidden = json!({"made": stamp, "wanted": {"properties": {}}});
    request.state.azure.insert(container_key(&request.account_key, name), Object::new(BLOB_CONTAINER.name, body).hiding(hidden));
}
