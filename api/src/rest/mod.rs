//! REST: the same use cases as GraphQL, one file for each resource. A route that is added here is in the OpenAPI document, asks for a
//! credential, and has entity tags, idempotency keys and problem details without doing anything for it.

mod audit;
mod operations;
mod projects;
pub(crate) mod protocol;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use domain::access::Actor;
use services::Services;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::problem::Problem;
use crate::state::ApiState;
use protocol::{conditional, deprecation, docs_page, document, idempotency};

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
        .merge(operations::routes())
        .merge(audit::routes());
    let (quick, mut document) = quick.split_for_parts();
    let (streams, streaming) = projects::streaming_routes().merge(audit::export_routes()).split_for_parts();
    let (uploads, uploading) = projects::upload_routes().split_for_parts();
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
    let quick = guarded(state, quick.route_layer(once)).merge(docs_page::routes(&document));
    Rest { quick, streams: guarded(state, streams), uploads: guarded(state, uploads) }
}

/// Wraps the layers around every route; the last is the outermost.
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
