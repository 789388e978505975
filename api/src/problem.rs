//! Errors of plain HTTP routes: problem details (RFC 9457) with the same codes as GraphQL.

use async_graphql_axum::GraphQLResponse;
use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use services::{ErrorCode, ServiceError};
use utoipa::ToSchema;

/// The media type of problem details.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Builds the response to a request that is refused before its handler saw it, in the format that the path's clients read.
pub(crate) fn refusal(path: &str, error: ServiceError) -> Response {
    if path == "/graphql" {
        let status = status(error.code());
        let error = schema::error_to_graphql(error).into_server_error(async_graphql::Pos::default());
        return (status, GraphQLResponse::from(async_graphql::Response::from_errors(vec![error]))).into_response();
    }
    Problem(error).into_response()
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::BadInput => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Problem details of an error, as the body of a response (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The problem and its remedy.
    detail: String,
    /// Stable, in capitals.
    code: &'static str,
    /// The field of the input that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// With a field: what is wrong with it. Stable, in capitals.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl ProblemDetails {
    /// Returns the part of an error that its user reads. The log keeps the rest.
    pub fn logged(error: &ServiceError) -> Self {
        if let ServiceError::Internal(cause) = error {
            tracing::error!(error = %cause, cause = ?cause.source().map(ToString::to_string), "a request failed because of a fault of ours");
        }
        let status = status(error.code());
        let (field, reason) = match error {
            ServiceError::Invalid { field, code, .. } => (Some(*field), Some(*code)),
            _ => (None, None),
        };
        let title = status.canonical_reason().unwrap_or_default();
        Self { title, status: status.as_u16(), detail: error.to_string(), code: error.code().name(), field, reason }
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A service's error as an HTTP response.
pub(crate) struct Problem(pub ServiceError);

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_seconds = self.0.retry_seconds();
        let mut response = ProblemDetails::logged(&self.0).into_response();
        if let Some(seconds) = retry_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Refusal by HTTP itself, before or after a service is called.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// Stable, in capitals.
    pub code: &'static str,
    /// The problem and its remedy.
    pub detail: String,
}

impl Refusal {
    /// A refusal with this status.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let Self { status, code, detail } = self;
        ProblemDetails { title, status: status.as_u16(), detail, code, field: None, reason: None }.into_response()
    }
}

/// Gives an error of a layer or of the router, which is bare, the form of all others. What the router says in headers (`Allow`) stays.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let is_rest = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_rest || !is_error || response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON) {
        return response;
    }
    let (code, detail) = match status {
        StatusCode::METHOD_NOT_ALLOWED => ("METHOD_NOT_ALLOWED", "this path does not take this method: see the Allow header"),
        StatusCode::GATEWAY_TIMEOUT => ("TIMEOUT", "it took too long and was given up: try again"),
        StatusCode::INTERNAL_SERVER_ERROR => {
            ("INTERNAL", "internal error: the server's log has the details under this request's id")
        }
        _ => ("BAD_REQUEST", "the request could not be read: see /api/v1/openapi.json for what this path takes"),
    };
    let (bare, _) = response.into_parts();
    let mut dressed = Refusal::new(status, code, detail).into_response();
    for (name, value) in &bare.headers {
        if name != CONTENT_TYPE && name != CONTENT_LENGTH {
            dressed.headers_mut().append(name, value.clone());
        }
    }
    dressed
}
