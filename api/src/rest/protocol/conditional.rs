//! Entity tags: what a client has need not be sent again, and nobody overwrites what they have not seen (RFC 9110, section 13).

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LINK, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use services::ServiceError;
use sha2::{Digest, Sha256};

use super::error::Answer;

/// The strong tag of a representation: the digest of its bytes.
fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &hex::encode(Sha256::digest(bytes))[..32])
}

/// Tags what is read, and says so in place of it when the client has it already.
pub(in crate::rest) async fn tagged(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = values(request.headers(), &IF_NONE_MATCH);
    let response = next.run(request).await;
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_read || response.status() != StatusCode::OK || !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It is in memory: no more than a page of a list.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = tag(&bytes);
    // What a team has is nobody else's to keep, and no older than the last look.
    parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    parts.headers.append(VARY, HeaderValue::from_static("authorization, x-mikrocloud-team"));
    if let Ok(value) = HeaderValue::try_from(&tag) {
        parts.headers.insert(ETAG, value);
    }
    if matches(&known, &tag, true) {
        for gone in [CONTENT_TYPE, CONTENT_LENGTH, LINK] {
            parts.headers.remove(gone);
        }
        parts.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Refuses a change of something that is no longer as the client saw it; whether the client asked for that.
pub(in crate::rest) fn check_match(headers: &HeaderMap, present: &impl Serialize) -> Answer<bool> {
    if !headers.contains_key(IF_MATCH) {
        return Ok(false);
    }
    let bytes = serde_json::to_vec(present).map_err(ServiceError::internal)?;
    if matches(&values(headers, &IF_MATCH), &tag(&bytes), false) { Ok(true) } else { Err(ServiceError::Changed.into()) }
}

/// All values of a header that is a list.
fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
}

/// Returns true if a list contains an entity tag. A weak tag is as good as a strong one where nothing is overwritten.
fn matches(list: &[String], tag: &str, weakly: bool) -> bool {
    list.iter().any(|value| value == "*" || value == tag || (weakly && value.strip_prefix("W/") == Some(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_change_goes_through_only_with_the_tag_of_what_is_there() {
        let present = serde_json::json!({"name": "shop"});
        let tag = tag(&serde_json::to_vec(&present).unwrap());
        let named = HeaderMap::from_iter([(IF_MATCH, HeaderValue::try_from(format!("\"other\", {tag}")).unwrap())]);
        let weak = HeaderMap::from_iter([(IF_MATCH, HeaderValue::try_from(format!("W/{tag}")).unwrap())]);
        assert!(matches!(check_match(&named, &present), Ok(true)));
        assert!(matches!(check_match(&headers("*"), &present), Ok(true)));
        assert!(matches!(check_match(&HeaderMap::new(), &present), Ok(false)), "nobody asked");
        for refused in [headers("\"other\""), headers(""), weak] {
            assert!(check_match(&refused, &present).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_weak_tag_is_enough_where_nothing_is_overwritten() {
        let tag = tag(b"x");
        assert!(matches(&[format!("W/{tag}")], &tag, true));
        assert!(!matches(&[tag.replace('"', "")], &tag, true));
    }
}
