//! Deployments: what there are, asking for one, and what is done to them.

mod actions;
mod requests;
pub(super) mod view;

use utoipa_axum::router::OpenApiRouter;

use crate::state::ApiState;

pub(in crate::rest) use requests::made;

/// The routes of deployments.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    requests::routes().merge(actions::routes())
}
