//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a POST that is sent again with the same key is answered with what the
//! first was answered, and done once.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::access::Actor;
use domain::id::{DeploymentId, DomainId, ProjectId};
use domain::secret::Secret;
use domain::trace::TraceContext;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use services::idempotency::{Attempt, LEASE, OnceOnly};
use services::{ServiceError, Services};

use super::error::{Answer, Refused};
use crate::problem::Refusal;
use crate::rest::projects::{deployments, domains, project};
use crate::state::TIMEOUT;

/// The header that names a request.
pub(in crate::rest) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Says of an answer that it is the one of before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const _: () = assert!(TIMEOUT.as_secs() + 10 < LEASE.num_seconds().unsigned_abs(), "a lease outlives what it is for");

/// The longest key, in characters.
const MAX_KEY: usize = 255;

/// Headers of a response that are stored beside its body.
const KEPT_HEADERS: [HeaderName; 2] = [CONTENT_TYPE, LOCATION];

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Recorded {
    status: u16,
    headers: Vec<(String, String)>,
    /// Base64.
    body: String,
}

/// Does a POST with a key once.
pub(in crate::rest) async fn once(State(services): State<Services>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match key(request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => attempt(services, key, request, next).await.unwrap_or_else(IntoResponse::into_response),
        Err(refused) => refused.into_response(),
    }
}

/// The key, with or without the quotes that a structured field has.
fn key(headers: &HeaderMap) -> Answer<Option<String>> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits = !bare.is_empty() && bare.len() <= MAX_KEY && bare.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if fits && given.next().is_none() {
        return Ok(Some(bare.to_owned()));
    }
    let detail = format!("give one Idempotency-Key of 1 to {MAX_KEY} visible characters, such as a UUID");
    Err(Refusal::new(StatusCode::BAD_REQUEST, "INVALID_IDEMPOTENCY_KEY", detail).into())
}

async fn attempt(services: Services, key: String, request: Request, next: Next) -> Answer<Response> {
    let (parts, body) = request.into_parts();
    // Read already: see `read_body`.
    let body = to_bytes(body, usize::MAX).await.map_err(ServiceError::internal)?;
    let actor = parts.extensions.get::<Actor>().ok_or(ServiceError::Unauthenticated("sign in first"))?;
    let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let named = [parts.method.as_str().as_bytes(), target.as_bytes(), &body];
    let trace = parts.extensions.get::<TraceContext>().copied();
    let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
    let attempt = services.once(actor, &key, &named, move |once| carry_out(once, trace, request, next)).await?;
    let refused = |status, code, detail: &str| -> Answer<Response> { Err(Refusal::new(status, code, detail).into()) };
    match attempt {
        Attempt::Done(response) => response,
        Attempt::Answered(answer) => replay(&answer),
        Attempt::UnderWay => {
            let detail = "a request with this Idempotency-Key is under way: send it again in a moment";
            let mut response = Refusal::new(StatusCode::CONFLICT, "IDEMPOTENCY_KEY_IN_USE", detail).into_response();
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            Ok(response)
        }
        Attempt::AnswerLost(made) => {
            if let Some(mut response) = shown_again(&services, actor, made.as_deref()).await? {
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                return Ok(response);
            }
            let detail = "this was done before, by a process that died before it answered: look for the result, and use a new \
                          Idempotency-Key to do it again";
            refused(StatusCode::CONFLICT, "IDEMPOTENCY_ANSWER_LOST", detail)
        }
        Attempt::OtherRequest => {
            let detail = "this Idempotency-Key was used for another request, or with another credential: use a new one";
            refused(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED", detail)
        }
    }
}

/// Rebuilds the response of a request from the present state of its result, if the original response is lost; `None` if it cannot
/// be rebuilt.
async fn shown_again(services: &Services, actor: &Actor, made: Option<&str>) -> Answer<Option<Response>> {
    let Some(made) = made else { return Ok(None) };
    let shown = match (made.parse::<ProjectId>(), made.parse::<DeploymentId>(), made.parse::<DomainId>()) {
        (Ok(id), ..) => project::made(services, actor, id).await,
        (_, Ok(id), _) => deployments::made(services, actor, id).await,
        (.., Ok(id)) => domains::made(services, actor, id).await,
        _ => return Ok(None),
    };
    match shown {
        Ok(response) => Ok(Some(response)),
        // It is gone by now, or its maker may not look at it.
        Err(ServiceError::NotFound(_) | ServiceError::Denied(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Does a request and keeps its answer.
async fn carry_out(once: OnceOnly, trace: Option<TraceContext>, request: Request, next: Next) -> Answer<Response> {
    let work = async move {
        let limited = tokio::time::timeout(TIMEOUT, once.run(next.run(request))).await;
        let response = limited.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response());
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(ServiceError::internal)?;
        let refused = !parts.status.is_success();
        once.finish(&record(parts.status, &parts.headers, &body)?, refused).await?;
        Ok::<_, Refused>(Response::from_parts(parts, Body::from(body)))
    };
    match trace {
        Some(trace) => services::trace::within(trace, work).await,
        None => work.await,
    }
}

fn record(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Result<Secret, ServiceError> {
    let kept = |name: &HeaderName| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned()));
    let recorded = Recorded {
        status: status.as_u16(),
        headers: KEPT_HEADERS.iter().filter_map(kept).collect(),
        body: STANDARD.encode(body),
    };
    serde_json::to_string(&recorded).map(Secret::new).map_err(ServiceError::internal)
}

fn replay(answer: &Secret) -> Answer<Response> {
    let recorded: Recorded = serde_json::from_str(answer.expose()).map_err(ServiceError::internal)?;
    let body = STANDARD.decode(&recorded.body).map_err(ServiceError::internal)?;
    let status = StatusCode::from_u16(recorded.status).map_err(ServiceError::internal)?;
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    for (name, value) in &recorded.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(values: &[&str]) -> HeaderMap {
        let value = |value: &&str| (HeaderName::from_static(IDEMPOTENCY_KEY), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        values.iter().map(value).collect()
    }

    #[test]
    fn a_key_is_taken_with_and_without_quotes() {
        for (values, expected) in [(&[][..], None), (&["\"a-1\""], Some("a-1")), (&["a-1"], Some("a-1"))] {
            assert_eq!(key(&keyed(values)).ok().unwrap().as_deref(), expected);
        }
        let long = "x".repeat(256);
        for values in [&[""][..], &["\"\""], &["a b"], &["\"a"], &["ä"], &[&long], &["a", "b"]] {
            assert!(key(&keyed(values)).is_err(), "{values:?}");
        }
    }

    #[test]
    fn what_was_kept_is_answered_again() {
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (LOCATION, HeaderValue::from_static("/x")),
            (HeaderName::from_static("x-request-id"), HeaderValue::from_static("1")),
        ]);
        let recorded = record(StatusCode::CREATED, &headers, &Bytes::from_static(b"{}")).ok().unwrap();
        let response = replay(&recorded).ok().unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()[LOCATION], "/x");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[REPLAYED], "true");
        assert!(!response.headers().contains_key("x-request-id"));
    }
}
