//! Uploads of directories as tar.gz archives.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::{Extensions, HeaderMap, StatusCode};
use serde_json::{Value, json};

use services::Services;

use crate::auth;
use crate::problem::Problem;

/// Stores the body and answers with its digest, which names it when a deployment is triggered.
pub async fn upload(
    State(services): State<Services>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let actor = auth::required_actor(&services, &extensions, &headers).await?;
    let stored = services.upload(&actor, body.into_data_stream()).await?;
    Ok((StatusCode::CREATED, Json(json!({"digest": stored.digest, "bytes": stored.bytes}))))
}
