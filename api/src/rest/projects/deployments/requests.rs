//! Deployments: what there are, and asking for one.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use domain::access::Actor;
use domain::id::{DeploymentId, ProjectId};
use serde::Deserialize;
use services::deployments::{Trigger, TriggerSource};
use services::{Page, ServiceError, Services};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{DeploymentView, view, views};
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::{Body, Caller, Path, Query};
use crate::rest::protocol::paging::PageOf;
use crate::rest::protocol::respond::created;
use crate::state::ApiState;

/// The routes of deployments.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, trigger)).routes(routes!(show))
}

/// Filter and page of the deployments to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListQuery {
    /// The project.
    #[param(value_type = String, pattern = "^prj_[0-9a-f]{32}$")]
    project_id: ProjectId,
    /// Only those of this environment.
    environment: Option<String>,
    /// Page size; 20 if omitted.
    #[param(minimum = 1, maximum = 100)]
    first: Option<i64>,
    /// The `endCursor` of the page before.
    #[param(value_type = Option<String>, pattern = "^dep_[0-9a-f]{32}$")]
    after: Option<DeploymentId>,
}

/// Source to deploy: a repository, or a directory that was uploaded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewDeployment)]
struct TriggerBody {
    /// The project.
    #[schema(value_type = String, pattern = "^prj_[0-9a-f]{32}$")]
    project_id: ProjectId,
    /// The environment; production when left out, made when the project has none of that name.
    environment: Option<String>,
    /// The cloud, such as `gcp`, or one of its accounts, such as `gcp:backup`. When left out, the one that the project file names, the one
    /// where the environment is, or `local`.
    cloud: Option<String>,
    /// The region there, such as `eu-west`; the account's own when left out.
    region: Option<String>,
    /// The repository; the project's own when left out.
    repository: Option<String>,
    /// Branch, tag or commit.
    reference: Option<String>,
    /// The digest of an uploaded directory, instead of a repository.
    upload: Option<String>,
    /// Directory of the project within the source, such as `apps/web`; what `[build] directory` says, or the root, when left out.
    directory: Option<String>,
}

impl TriggerBody {
    fn source(&mut self) -> services::Result<TriggerSource> {
        match (self.upload.take(), self.repository.take(), self.reference.take()) {
            (Some(digest), None, None) => Ok(TriggerSource::Upload { digest }),
            (None, repository, reference) => Ok(TriggerSource::Git { repository, reference }),
            _ => Err(ServiceError::invalid("upload", "ONE_OF", "give either `upload`, or `repository` and `reference`")),
        }
    }
}

/// A project's deployments, newest first.
#[utoipa::path(get, path = "/api/v1/deployments", tag = "deployments", operation_id = "listDeployments", params(ListQuery),
    responses((status = 200, body = PageOf<DeploymentView>)))]
async fn list(
    Caller(actor): Caller,
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Answer<PageOf<DeploymentView>> {
    let size = services::paging::page_size(query.first)?;
    let environment = if let Some(name) = &query.environment {
        Some(services.environments().by_name(&actor, query.project_id, Some(name)).await?.id)
    } else {
        // A project of somebody else is not there, not empty.
        services.projects().get(&actor, query.project_id).await?;
        None
    };
    let Page { items, has_more } = services.deployments().list(&actor, query.project_id, environment, query.after, size).await?;
    let page = Page { items: views(&services, &actor, items).await?, has_more };
    Ok(PageOf::new(page, uri, |deployment| deployment.id.to_string(), |deployment| deployment))
}

/// Deploys a source. It is done when the deployment is `LIVE`: follow its events.
#[utoipa::path(post, path = "/api/v1/deployments", tag = "deployments", operation_id = "triggerDeployment",
    request_body = TriggerBody, responses((status = 201, body = DeploymentView)))]
async fn trigger(Caller(actor): Caller, State(services): State<Services>, Body(mut body): Body<TriggerBody>) -> Answer<Response> {
    let source = body.source()?;
    let TriggerBody { project_id: project, environment, cloud, region, directory, .. } = body;
    let trigger = Trigger { project, environment, cloud, region, source, directory };
    let deployment = services.deployments().trigger(&actor, trigger).await?;
    Ok(created("deployments", deployment.id, &view(&services, &actor, deployment).await?))
}

/// Builds the response about a deployment that was requested.
pub(in crate::rest) async fn made(services: &Services, actor: &Actor, id: DeploymentId) -> services::Result<Response> {
    let deployment = services.deployments().get(actor, id).await?;
    Ok(created("deployments", id, &view(services, actor, deployment).await?))
}

/// A deployment.
#[utoipa::path(get, path = "/api/v1/deployments/{id}", tag = "deployments", operation_id = "getDeployment",
    params(("id" = String, Path, description = "The deployment.", pattern = "^dep_[0-9a-f]{32}$")),
    responses((status = 200, body = DeploymentView)))]
async fn show(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<DeploymentId>,
) -> Answer<Json<DeploymentView>> {
    let deployment = services.deployments().get(&actor, id).await?;
    Ok(Json(view(&services, &actor, deployment).await?))
}
