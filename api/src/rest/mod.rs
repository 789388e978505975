//! REST: the same use cases as GraphQL, one file for each resource. A route that is added here is in the OpenAPI document, asks for a
//! credential, and has entity tags, idempotency keys and problem details without doing anything for it.

mod audit;
mod audit_view;
mod changes;
mod conditional;
mod deployment_view;
mod deployments;
mod deprecation;
mod document;
mod domains;
mod environments;
mod error;
mod extract;
mod following;
mod functions;
mod idempotency;
mod jobs;
mod pages;
pub(crate) mod paging;
mod projects;
mod respond;
mod streams;
mod until_end;
mod uploads;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use domain::access::Actor;
use services::Services;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::problem::Problem;
use crate::routes::ApiState;

/// The routes, by what they need around them.
pub(crate) struct Rest {
    /// Those that answer at once.
    pub quick: Router<ApiState>,
    /// Those that may go on for long.
    pub streams: Router<ApiState>,
    /// Those that take large bodies.
    pub uploads: Router<ApiState>,
}

/// The routes of all resources, with nothing around them, and the document that describes them.
fn described() -> (Rest, OpenApi) {
    let quick = OpenApiRouter::with_openapi(document::base())
        .merge(projects::routes())
        .merge(environments::routes())
        .merge(deployments::routes())
        .merge(changes::routes())
        .merge(functions::routes())
        .merge(domains::routes())
        .merge(jobs::routes())
        .merge(audit::routes());
    let (quick, mut document) = quick.split_for_parts();
    let (streams, streaming) = following::routes().merge(audit::export_routes()).split_for_parts();
    let (uploads, uploading) = uploads::routes().split_for_parts();
    document.merge(streaming);
    document.merge(uploading);
    (Rest { quick, streams, uploads }, document::complete(document))
}

/// The OpenAPI document, as text.
pub fn openapi() -> Result<String, serde_json::Error> {
    described().1.to_pretty_json()
}

/// The routes of all resources.
pub(crate) fn routes(state: &ApiState) -> Rest {
    let (Rest { quick, streams, uploads }, document) = described();
    let once = middleware::from_fn_with_state(state.machine.services.clone(), idempotency::once);
    let quick = guarded(state, quick.route_layer(once)).merge(pages::routes(&document));
    Rest { quick, streams: guarded(state, streams), uploads: guarded(state, uploads) }
}

/// What is around every route; the last is the outermost.
fn guarded(state: &ApiState, routes: Router<ApiState>) -> Router<ApiState> {
    routes
        .route_layer(middleware::from_fn(conditional::tagged))
        .route_layer(middleware::from_fn_with_state(state.machine.services.clone(), signed_in))
        .route_layer(middleware::from_fn_with_state(deprecation::DEPRECATED, deprecation::announce))
}

/// Nobody gets to a route who does not say who they are, whether its handler asks or not.
async fn signed_in(State(services): State<Services>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<Actor>().is_none() {
        match crate::auth::required_actor(&services, request.headers()).await {
            Ok(actor) => {
                request.extensions_mut().insert(actor);
            }
            Err(error) => return Problem(error).into_response(),
        }
    }
    next.run(request).await
}
