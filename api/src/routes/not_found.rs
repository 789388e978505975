//! Everything that is not there.

use axum::response::IntoResponse;
use http::StatusCode;
use services::ServiceError;

use crate::problem::Problem;

/// Says that there is no such page.
pub async fn not_found() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, Problem(ServiceError::NotFound("page")))
}
