//! Projects.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::Actor;
use domain::id::ProjectId;
use domain::name::ProjectName;
use domain::project::Project;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use services::{NewProject, ProjectEdit, ServiceError, Services};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rest::protocol::conditional::check_match;
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::{Body, Caller, PatchField, Path, Query};
use crate::rest::protocol::paging::PageOf;
use crate::rest::protocol::respond::created;
use crate::state::ApiState;

/// The routes of projects.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, update, remove))
}

/// Something a team deploys.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Project)]
pub(in crate::rest) struct ProjectView {
    /// Identity.
    #[schema(value_type = String, pattern = "^prj_[0-9a-f]{32}$")]
    id: ProjectId,
    /// The unique name, first label of its addresses.
    name: String,
    /// The repository it is deployed from by default.
    repository: Option<String>,
    /// The branch, tag or commit used by default.
    reference: Option<String>,
    /// Creation time.
    created_at: DateTime<Utc>,
    /// Time of the last change.
    updated_at: DateTime<Utc>,
    /// Marks a project that is being deleted.
    deleting: bool,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            name: project.name.to_string(),
            repository: project.repository,
            reference: project.reference,
            created_at: project.created_at,
            updated_at: project.updated_at,
            deleting: project.deleting_at.is_some(),
        }
    }
}

/// Filter and page of the projects to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Page size; 20 if omitted.
    #[param(minimum = 1, maximum = 100)]
    first: Option<i64>,
    /// The `endCursor` of the page before.
    #[param(value_type = Option<String>, pattern = "^prj_[0-9a-f]{32}$")]
    after: Option<ProjectId>,
    /// Only the one of this name.
    name: Option<String>,
}

/// A new project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProject)]
struct CreateBody {
    /// The unique name: 1 to 30 of a-z, 0-9 and single hyphens.
    #[schema(min_length = 1, max_length = 30)]
    name: String,
    /// The repository it is deployed from by default.
    repository: Option<String>,
    /// The branch, tag or commit used by default.
    reference: Option<String>,
}

/// A change; what is left out stays (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectChange)]
struct UpdateBody {
    /// The new name.
    #[schema(min_length = 1, max_length = 30)]
    name: Option<String>,
    /// The new repository; null for none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    repository: PatchField,
    /// The new branch, tag or commit; null for none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    reference: PatchField,
}

/// The team's projects, newest first.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", operation_id = "listProjects", params(ListQuery),
    responses((status = 200, body = PageOf<ProjectView>)))]
async fn list(
    Caller(actor): Caller,
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Answer<PageOf<ProjectView>> {
    let size = services::paging::page_size(query.first)?;
    if let Some(name) = query.name {
        let name: ProjectName = name.parse().map_err(|error| ServiceError::invalid("name", "INVALID_NAME", error))?;
        let found = match services.projects().by_name(&actor, name.as_str()).await {
            Err(ServiceError::NotFound(_)) => None,
            found => Some(found?),
        };
        let found = found.filter(|project| query.after.is_none_or(|after| project.id < after));
        return Ok(PageOf::whole(found.into_iter().map(ProjectView::from).collect(), uri));
    }
    let page = services.projects().list(&actor, query.after, size).await?;
    Ok(PageOf::new(page, uri, |project| project.id.to_string(), ProjectView::from))
}

/// Creates a project with its production environment.
#[utoipa::path(post, path = "/api/v1/projects", tag = "projects", operation_id = "createProject", request_body = CreateBody,
    responses((status = 201, body = ProjectView)))]
async fn create(Caller(actor): Caller, State(services): State<Services>, Body(body): Body<CreateBody>) -> Answer<Response> {
    let CreateBody { name, repository, reference } = body;
    let project = services.projects().create(&actor, NewProject { name, repository, reference }).await?;
    Ok(created("projects", project.id, &ProjectView::from(project)))
}

/// Builds the response of [`create`] about a project that exists.
pub(in crate::rest) async fn made(services: &Services, actor: &Actor, id: ProjectId) -> services::Result<Response> {
    let project = services.projects().get(actor, id).await?;
    Ok(created("projects", id, &ProjectView::from(project)))
}

/// A project.
#[utoipa::path(get, path = "/api/v1/projects/{id}", tag = "projects", operation_id = "getProject",
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$")),
    responses((status = 200, body = ProjectView)))]
async fn show(Caller(actor): Caller, State(services): State<Services>, Path(id): Path<ProjectId>) -> Answer<Json<ProjectView>> {
    Ok(Json(services.projects().get(&actor, id).await?.into()))
}

/// Changes a project; fields that are left out stay. A new name is in the project's addresses at once; those of single deployments stay.
#[utoipa::path(patch, path = "/api/v1/projects/{id}", tag = "projects", operation_id = "updateProject",
    request_body(content((UpdateBody = "application/json"), (UpdateBody = "application/merge-patch+json"))),
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$")),
    responses((status = 200, body = ProjectView)))]
async fn update(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<ProjectId>,
    headers: HeaderMap,
    Body(body): Body<UpdateBody>,
) -> Answer<Json<ProjectView>> {
    let seen = seen(&services, &actor, id, &headers).await?;
    let UpdateBody { name, repository, reference } = body;
    let change = ProjectEdit { name, repository: repository.into_change(), reference: reference.into_change() };
    Ok(Json(services.projects().update(&actor, id, change, seen).await?.into()))
}

/// Deletes a project and all it has in clouds. It is gone once it is no longer found.
#[utoipa::path(delete, path = "/api/v1/projects/{id}", tag = "projects", operation_id = "deleteProject",
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$")),
    responses((status = 202, body = ProjectView)))]
async fn remove(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<ProjectId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let seen = seen(&services, &actor, id, &headers).await?;
    let mut project = ProjectView::from(services.projects().delete(&actor, id, seen).await?);
    project.deleting = true;
    Ok((StatusCode::ACCEPTED, Json(project)).into_response())
}

/// The last change that the client knows of, where it asks for nothing to be done after another.
async fn seen(services: &Services, actor: &Actor, id: ProjectId, headers: &HeaderMap) -> Answer<Option<DateTime<Utc>>> {
    if !headers.contains_key(http::header::IF_MATCH) {
        return Ok(None);
    }
    let present = ProjectView::from(services.projects().get(actor, id).await?);
    Ok(check_match(headers, &present)?.then_some(present.updated_at))
}
