//! Browsers: requests that other sites make in their name.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use services::ServiceError;

use crate::problem::Problem;
use crate::state::ApiState;

/// Refuses what another site asks in the name of somebody's browser.
pub(crate) async fn refuse_other_sites(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    const OTHER_SITE: ServiceError = ServiceError::Forbidden(
        "another site asked for this in your browser's name: go to MikroCloud's own page and do it there",
    );
    if state.public.is_of_another_site(request.method(), request.headers()) {
        return Problem(OTHER_SITE).into_response();
    }
    next.run(request).await
}
