//! Uploads of directories as tar.gz archives.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::{Extensions, HeaderMap, StatusCode};
use serde_json::{Value, json};

use services::Services;

use crate::problem::Problem;
use crate::{auth, client};

/// Stores the body and answers with its digest, which names it when a deployment is triggered.
pub async fn upload(
    State(services): State<Services>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let actor = auth::required_actor(&services, &headers).await?.from(&Arc::new(client::origin(&extensions, &headers)));
    let stored = services.upload(&actor, body.into_data_stream()).await?;
    Ok((StatusCode::CREATED, Json(json!({"digest": stored.digest, "bytes": stored.bytes}))))
}
