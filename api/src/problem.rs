//! Errors of plain HTTP routes: problem details (RFC 9457) with the same codes as GraphQL.

use async_graphql_axum::GraphQLResponse;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;
use services::{ErrorCode, ServiceError};

/// What a request is refused with before its handler saw it, in the form that the path's clients read.
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
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
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
        let status = status(self.0.code());
        if let ServiceError::Internal(cause) = &self.0 {
            tracing::error!(error = %cause, cause = ?cause.source().map(ToString::to_string), "a request failed because of a fault of ours");
        }
        let mut body = json!({
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.0.to_string(),
            "code": self.0.code().name(),
        });
        if let ServiceError::Invalid { field, code, .. } = &self.0 {
            body["field"] = json!(field);
            body["reason"] = json!(code);
        }
        let retry_seconds = self.0.retry_seconds();
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_seconds {
            headers.insert(RETRY_AFTER, http::HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
