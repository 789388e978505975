//! Forms of answers.

use std::fmt::Display;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// Root path of all routes.
pub(in crate::rest) const ROOT: &str = "/api/v1";

/// Something was made, and is at this path below [`ROOT`].
pub(in crate::rest) fn created(collection: &str, id: impl Display, body: &impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("{ROOT}/{collection}/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
