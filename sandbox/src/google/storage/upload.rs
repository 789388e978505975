//! Uploads: content alone, metadata and content in one body, and in two steps.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::buckets::find;
use super::objects::store;
use crate::google::{Context, GoogleError, Outcome};
use crate::http::Answer;
use crate::world::Object;

/// Kind of an upload under way.
pub(crate) const SESSION: &str = "storage.upload";

/// Answers a call to `/upload/storage/v1/b/<bucket>/o`.
pub(super) fn answer(context: &mut Context<'_>, bucket: &str) -> Outcome {
    let kind = context.call.parameter("uploadType").unwrap_or_default().to_owned();
    match (&context.call.method, kind.as_str()) {
        (&Method::POST, "media") => {
            let metadata = json!({"contentType": content_type(context.call.header("content-type"))});
            let body = context.call.body.clone();
            store(context, bucket, metadata, &body)
        }
        (&Method::POST, "multipart") => {
            let body = context.call.body.clone();
            let (metadata, bytes) = split(context.call.header("content-type"), &body)
                .ok_or_else(|| GoogleError::invalid("Malformed multipart body: expected metadata and content."))?;
            store(context, bucket, metadata, bytes)
        }
        (&Method::POST, "resumable") => begin(context, bucket),
        (&Method::PUT, "resumable") => finish(context, bucket),
        _ => Err(GoogleError::invalid("uploadType must be media, multipart or resumable.")),
    }
}

fn content_type(given: &str) -> &str {
    if given.is_empty() { "application/octet-stream" } else { given }
}

/// Metadata and content of a `multipart/related` body.
fn split<'b>(header: &str, body: &'b [u8]) -> Option<(Value, &'b [u8])> {
    let boundary = header.split("boundary=").nth(1)?.split(';').next()?.trim().trim_matches('"');
    let line = format!("--{boundary}");
    let first = after(body, line.as_bytes())?;
    let (head, rest) = part(first)?;
    let end = find_bytes(rest, format!("\r\n{line}").as_bytes()).or_else(|| find_bytes(rest, format!("\n{line}").as_bytes()))?;
    let mut metadata: Value = serde_json::from_slice(&rest[..end]).ok()?;
    let _ = head;
    let second = after(&rest[end..], line.as_bytes())?;
    let (head, rest) = part(second)?;
    let close = format!("\r\n{line}--");
    let end = rfind_bytes(rest, close.as_bytes()).or_else(|| rfind_bytes(rest, format!("\n{line}--").as_bytes()))?;
    if metadata.get("contentType").is_none() {
        metadata["contentType"] = json!(content_type(&head));
    }
    Some((metadata, &rest[..end]))
}

/// The content type of a part and what follows its headers.
fn part(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (at, length) = match (find_bytes(bytes, b"\r\n\r\n"), find_bytes(bytes, b"\n\n")) {
        (Some(at), other) if other.is_none_or(|other| at < other) => (at, 4),
        (_, Some(at)) => (at, 2),
        _ => return None,
    };
    let head = String::from_utf8_lossy(&bytes[..at]);
    let kind =
        head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.trim().eq_ignore_ascii_case("content-type"));
    Some((kind.map(|(_, value)| value.trim().to_owned()).unwrap_or_default(), &bytes[at + length..]))
}

fn after<'b>(bytes: &'b [u8], text: &[u8]) -> Option<&'b [u8]> {
    find_bytes(bytes, text).map(|at| &bytes[at + text.len()..])
}

fn find_bytes(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

fn rfind_bytes(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).rposition(|window| window == text)
}

fn begin(context: &mut Context<'_>, bucket: &str) -> Outcome {
    find(context, bucket, "storage.objects.create")?;
    let mut metadata = context.body()?;
    if metadata.get("name").is_none() {
        metadata["name"] = json!(context.call.parameter("name").unwrap_or_default());
    }
    if metadata.get("contentType").is_none() {
        metadata["contentType"] = json!(content_type(context.call.header("x-upload-content-type")));
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    context.state.google.insert(format!("upload/{id}"), Object::new(SESSION, metadata));
    let address = format!("{}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={id}", context.call.base());
    Ok(Answer::empty(StatusCode::OK).with("location", &address).with("x-guploader-uploadid", &id))
}

/// Takes the content of an upload that was begun, whole or in parts: `Content-Range: bytes 0-262143/*` is followed by more.
fn finish(context: &mut Context<'_>, bucket: &str) -> Outcome {
    let key = format!("upload/{}", context.call.parameter("upload_id").unwrap_or_default());
    let session = context.state.google.get(&key).ok_or_else(|| GoogleError::not_found("The upload does not exist."))?;
    let mut received = match session.secret("blob") {
        "" => Vec::new(),
        blob => context.blobs.get(blob)?,
    };
    let metadata = session.body.clone();
    let length = received.len() + context.call.body.len();
    let range = range_of(context.call.header("content-range")).unwrap_or(Range { start: None, size: Some(length) });
    if range.start.is_some_and(|start| start != received.len()) {
        return Err(GoogleError::invalid("Invalid Content-Range: it does not follow what was received."));
    }
    received.extend_from_slice(&context.call.body);
    if range.size.is_some_and(|size| size == received.len()) {
        context.state.google.remove(&key);
        return store(context, bucket, metadata, &received);
    }
    let blob = context.blobs.put(&received)?;
    if let Some(session) = context.state.google.get_mut(&key) {
        session.hidden["blob"] = json!(blob);
    }
    let answer = Answer::empty(StatusCode::PERMANENT_REDIRECT);
    Ok(if received.is_empty() { answer } else { answer.with("range", &format!("bytes=0-{}", received.len() - 1)) })
}

/// Place of a part, and the size of the whole, as far as they are known.
struct Range {
    start: Option<usize>,
    size: Option<usize>,
}

/// Reads `bytes 0-9/20`, `bytes 0-9/*` and `bytes */20`.
fn range_of(header: &str) -> Option<Range> {
    let (place, size) = header.strip_prefix("bytes ")?.split_once('/')?;
    Some(Range { start: place.split('-').next().and_then(|start| start.parse().ok()), size: size.parse().ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_body_is_metadata_and_any_bytes() {
        let body = b"--b\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{\"name\":\"x\"}\r\n--b\r\nContent-Type: text/css\r\n\r\n\x00--b\n\xff\r\n--b--\r\n";
        let (metadata, content) = split("multipart/related; boundary=b", body).unwrap();
        assert_eq!(metadata, json!({"name": "x", "contentType": "text/css"}));
        assert_eq!(content, b"\x00--b\n\xff");
        assert!(split("multipart/related; boundary=c", body).is_none());
        assert!(split("text/plain", body).is_none());
    }
}
