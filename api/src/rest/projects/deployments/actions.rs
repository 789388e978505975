//! Actions on deployments: promote, roll back, cancel, approve, reject.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::id::{DeploymentId, ProjectId};
use serde::Deserialize;
use services::Services;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{DeploymentView, view};
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::{Caller, OptionalBody, Path};
use crate::rest::protocol::respond::created;
use crate::state::ApiState;

/// The routes of changes.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(promote))
        .routes(routes!(rollback))
        .routes(routes!(cancel))
        .routes(routes!(approve))
        .routes(routes!(reject))
}

/// Target environment of a promotion.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Promotion)]
struct PromoteBody {
    /// The environment to promote to; production when left out.
    environment: Option<String>,
}

/// Target of a rollback.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = Rollback)]
struct RollbackBody {
    /// The environment; production when left out.
    environment: Option<String>,
    /// The deployment to go back to; the one before the present one when left out.
    #[schema(value_type = Option<String>, pattern = "^dep_[0-9a-f]{32}$")]
    to_deployment_id: Option<DeploymentId>,
}

/// Reason for a decision.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Decision)]
struct DecisionBody {
    /// Reason, for readers of the deployment's events.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Makes the artifact of a deployment live in another environment, with that environment's variables.
#[utoipa::path(post, path = "/api/v1/deployments/{id}/promote", tag = "deployments", operation_id = "promoteDeployment",
    params(("id" = String, Path, description = "The deployment whose artifact to use.", pattern = "^dep_[0-9a-f]{32}$")),
    request_body = Option<PromoteBody>, responses((status = 201, body = DeploymentView)))]
async fn promote(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DeploymentId>,
    OptionalBody(body): OptionalBody<PromoteBody>,
) -> Answer<Response> {
    let deployment = services.deployments().promote(&actor, id, body.environment.as_deref()).await?;
    Ok(created("deployments", deployment.id, &view(&services, &actor, deployment).await?))
}

/// Brings back what an environment showed before: artifact, configuration and secrets. Nothing is rebuilt.
#[utoipa::path(post, path = "/api/v1/projects/{id}/rollback", tag = "deployments", operation_id = "rollbackDeployment",
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$")),
    request_body = Option<RollbackBody>, responses((status = 201, body = DeploymentView)))]
async fn rollback(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<ProjectId>,
    OptionalBody(body): OptionalBody<RollbackBody>,
) -> Answer<Response> {
    let deployment = services.deployments().rollback(&actor, id, body.environment.as_deref(), body.to_deployment_id).await?;
    Ok(created("deployments", deployment.id, &view(&services, &actor, deployment).await?))
}

/// Cancels a deployment: its build is killed, what was started is stopped.
#[utoipa::path(post, path = "/api/v1/deployments/{id}/cancel", tag = "deployments", operation_id = "cancelDeployment",
    params(("id" = String, Path, description = "The deployment.", pattern = "^dep_[0-9a-f]{32}$")),
    responses((status = 200, body = DeploymentView)))]
async fn cancel(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DeploymentId>,
) -> Answer<Json<DeploymentView>> {
    let deployment = services.deployments().cancel(&actor, id).await?;
    Ok(Json(view(&services, &actor, deployment).await?))
}

/// Approves a deployment of somebody else to a protected environment: it goes on.
#[utoipa::path(post, path = "/api/v1/deployments/{id}/approve", tag = "deployments", operation_id = "approveDeployment",
    params(("id" = String, Path, description = "The deployment.", pattern = "^dep_[0-9a-f]{32}$")),
    request_body = Option<DecisionBody>, responses((status = 200, body = DeploymentView)))]
async fn approve(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DeploymentId>,
    OptionalBody(body): OptionalBody<DecisionBody>,
) -> Answer<Json<DeploymentView>> {
    let deployment = services.approvals().approve(&actor, id, body.reason.as_deref()).await?;
    Ok(Json(view(&services, &actor, deployment).await?))
}

/// Rejects a deployment to a protected environment: it is cancelled.
#[utoipa::path(post, path = "/api/v1/deployments/{id}/reject", tag = "deployments", operation_id = "rejectDeployment",
    params(("id" = String, Path, description = "The deployment.", pattern = "^dep_[0-9a-f]{32}$")),
    request_body = Option<DecisionBody>, responses((status = 200, body = DeploymentView)))]
async fn reject(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DeploymentId>,
    OptionalBody(body): OptionalBody<DecisionBody>,
) -> Answer<Json<DeploymentView>> {
    let deployment = services.approvals().reject(&actor, id, body.reason.as_deref()).await?;
    Ok(Json(view(&services, &actor, deployment).await?))
}
