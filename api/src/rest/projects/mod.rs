//! Projects, and what belongs to one: environments, deployments and what they say, functions, domains, uploads.

pub(super) mod deployments;
pub(super) mod domains;
mod environments;
mod events;
mod functions;
pub(super) mod place;
pub(super) mod project;
mod uploads;

use utoipa_axum::router::OpenApiRouter;

use crate::state::ApiState;

pub(super) use events::routes as streaming_routes;
pub(super) use uploads::routes as upload_routes;

/// The routes that answer at once.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    project::routes()
        .merge(environments::routes())
        .merge(deployments::routes())
        .merge(functions::routes())
        .merge(domains::routes())
}
