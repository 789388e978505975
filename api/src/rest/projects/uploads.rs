//! Uploads of directories as tar.gz archives.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use services::Services;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::Caller;
use crate::state::ApiState;

/// The route of uploads, which take their time and are larger than other bodies.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(upload))
}

/// A stored upload.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
struct UploadView {
    /// Names it when a deployment is triggered: SHA-256 of the archive.
    digest: String,
    /// Its size.
    bytes: u64,
}

/// Stores a directory as a tar.gz archive. The same content again costs no space and has the same digest.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "deployments", operation_id = "upload",
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "A tar.gz archive."),
    responses((status = 201, body = UploadView)))]
async fn upload(Caller(actor): Caller, State(services): State<Services>, body: Body) -> Answer<(StatusCode, Json<UploadView>)> {
    let stored = services.uploads().store_upload(&actor, body.into_data_stream()).await?;
    Ok((StatusCode::CREATED, Json(UploadView { digest: stored.digest.to_string(), bytes: stored.bytes })))
}
