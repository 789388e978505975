//! Blobs.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{BLOB, BlobError, Outcome, Request, copy};
use crate::http::{Answer, ranged};
use crate::world::{Object, State, md5_of};

/// Headers of an upload and of a download, with their names in the sandbox.
pub(super) const HEADERS: [(&str, &str, &str); 5] = [
    ("x-ms-blob-content-type", "content-type", "contentType"),
    ("x-ms-blob-content-encoding", "content-encoding", "contentEncoding"),
    ("x-ms-blob-content-language", "content-language", "contentLanguage"),
    ("x-ms-blob-content-disposition", "content-disposition", "contentDisposition"),
    ("x-ms-blob-cache-control", "cache-control", "cacheControl"),
];

/// The time as headers write it.
pub(super) fn http_date(state: &State) -> String {
    state.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Takes, gives or removes a blob.
pub(super) fn one(request: &mut Request<'_>) -> Outcome {
    match request.call.method {
        Method::PUT if !request.call.header("x-ms-copy-source").is_empty() => copy::answer(request),
        Method::PUT => put(request),
        Method::GET | Method::HEAD => {
            request.need("containers/blobs/read")?;
            give(request)
        }
        Method::DELETE => {
            request.need("containers/blobs/delete")?;
            request.existing()?;
            request.check_conditions()?;
            request.state.azure.remove(&request.blob_key());
            Ok(Answer::empty(StatusCode::ACCEPTED).with("x-ms-delete-type-permanent", "true"))
        }
        _ => Err(BlobError::unsupported()),
    }
}

fn put(request: &mut Request<'_>) -> Outcome {
    request.need("containers/blobs/write")?;
    if request.call.header("x-ms-blob-type") != "BlockBlob" {
        return Err(BlobError::invalid("InvalidHeaderValue", "The value for x-ms-blob-type is not BlockBlob, or it is missing."));
    }
    let given = request.call.header("content-md5");
    if !given.is_empty() && given != md5_of(&request.call.body) {
        return Err(BlobError::invalid(
            "Md5Mismatch",
            "The MD5 value specified in the request did not match with the MD5 value calculated by the server.",
        ));
    }
    let (properties, metadata) = (properties_of(request, true), metadata_of(request));
    let bytes = request.call.body.clone();
    store(request, properties, &metadata, &bytes)
}

/// Properties that the headers of a call set; `is_upload` takes the type of the body where no other is given.
pub(super) fn properties_of(request: &Request<'_>, is_upload: bool) -> Map<String, Value> {
    let mut properties = Map::new();
    for (header, _, name) in HEADERS {
        let value = request.call.header(header);
        if !value.is_empty() {
            properties.insert(name.to_owned(), json!(value));
        }
    }
    let kind = request.call.header("content-type");
    let usual = if is_upload && !kind.is_empty() { kind } else { "application/octet-stream" };
    properties.entry("contentType").or_insert_with(|| json!(usual));
    properties
}

/// Metadata that the headers of a call set.
pub(super) fn metadata_of(request: &Request<'_>) -> Map<String, Value> {
    let headers = request
        .call
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix("x-ms-meta-")?, value.to_str().ok()?)));
    headers.map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

/// Stores a blob and answers.
pub(super) fn store(
    request: &mut Request<'_>,
    mut properties: Map<String, Value>,
    metadata: &Map<String, Value>,
    bytes: &[u8],
) -> Outcome {
    request.need_container()?;
    request.check_conditions()?;
    let digest = request.blobs.put(bytes)?;
    let etag = format!("\"0x{}\"", &uuid::Uuid::new_v4().simple().to_string()[..15].to_ascii_uppercase());
    let (date, md5) = (http_date(request.state), md5_of(bytes));
    for (name, value) in
        [("etag", json!(etag)), ("lastModified", json!(date)), ("length", json!(bytes.len())), ("md5", json!(md5))]
    {
        properties.insert(name.to_owned(), value);
    }
    let body = json!({"name": format!("{}/{}", request.container, request.blob), "properties": properties, "metadata": metadata});
    request.state.azure.insert(request.blob_key(), Object::new(BLOB, body).hiding(json!({"blob": digest})));
    let answer = Answer::empty(StatusCode::CREATED).with("etag", &etag).with("last-modified", &date);
    Ok(answer.with("content-md5", &md5).with("x-ms-request-server-encrypted", "true"))
}

fn give(request: &Request<'_>) -> Outcome {
    let object = request.existing()?;
    let etag = object.text("/properties/etag");
    if request.call.header("if-none-match") == etag {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED).with("etag", etag));
    }
    let bytes = request.blobs.get(object.secret("blob"))?;
    let answer = described(object, Answer { body: bytes.into(), ..Answer::empty(StatusCode::OK) });
    let answer = answer.with("x-ms-blob-type", "BlockBlob").with("accept-ranges", "bytes");
    let range = [request.call.header("x-ms-range"), request.call.header("range")].into_iter().find(|range| !range.is_empty());
    let unsatisfiable = |_| {
        let message = "The range specified is invalid for the current size of the resource.";
        BlobError::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message)
    };
    let answer = ranged(range.unwrap_or_default(), with_metadata(object, answer)).map_err(unsatisfiable)?;
    let length = answer.body.len().to_string();
    Ok(answer.with("content-length", &length))
}

/// The answer with the headers that a blob has for everyone.
pub(super) fn described(object: &Object, mut answer: Answer) -> Answer {
    for (_, header, name) in HEADERS {
        let value = object.text(&format!("/properties/{name}"));
        if !value.is_empty() {
            answer = answer.with(header, value);
        }
    }
    answer = answer.with("content-md5", object.text("/properties/md5"));
    answer.with("etag", object.text("/properties/etag")).with("last-modified", object.text("/properties/lastModified"))
}

fn with_metadata(object: &Object, mut answer: Answer) -> Answer {
    for (name, value) in object.body["metadata"].as_object().into_iter().flatten() {
        let name = http::HeaderName::try_from(format!("x-ms-meta-{name}"));
        let value = value.as_str().and_then(|value| http::HeaderValue::from_str(value).ok());
        if let (Ok(name), Some(value)) = (name, value) {
            answer.headers.insert(name, value);
        }
    }
    answer
}

/// Replaces the properties or the metadata of a blob.
pub(super) fn update(request: &mut Request<'_>, what: &str) -> Outcome {
    request.need("containers/blobs/write")?;
    request.existing()?;
    request.check_conditions()?;
    let (properties, metadata) = (properties_of(request, false), metadata_of(request));
    let etag = format!("\"0x{}\"", &uuid::Uuid::new_v4().simple().to_string()[..15].to_ascii_uppercase());
    let date = http_date(request.state);
    let key = request.blob_key();
    let object = request.state.azure.get_mut(&key).ok_or_else(BlobError::no_blob)?;
    if what == "metadata" {
        object.body["metadata"] = json!(metadata);
    } else {
        for (_, _, name) in HEADERS {
            object.body["properties"][name] = properties.get(name).cloned().unwrap_or_default();
        }
    }
    object.body["properties"]["etag"] = json!(etag);
    object.body["properties"]["lastModified"] = json!(date);
    Ok(Answer::empty(StatusCode::OK).with("etag", &etag).with("last-modified", &date))
}
