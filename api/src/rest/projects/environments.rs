//! The environments of a project, and what is set in them.

use axum::Json;
use axum::extract::{OriginalUri, State};
use chrono::{DateTime, Utc};
use domain::environment::Environment;
use domain::id::{DeploymentId, EnvironmentId, ProjectId};
use domain::secret::Secret;
use domain::variable::Variable;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use services::Services;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rest::projects::place::PlaceView;
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::{Body, Caller, JsonObject, Path, Query};
use crate::rest::protocol::paging::PageOf;
use crate::state::ApiState;

/// The routes of environments and their variables.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(list_variables, set_variables)).routes(routes!(unset_variable))
}

/// A place a project is deployed to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Environment)]
struct EnvironmentView {
    /// Identity.
    #[schema(value_type = String)]
    id: EnvironmentId,
    /// `production`, or a name such as `preview`.
    name: String,
    /// The address that shows it; null in a vendor's cloud before its first release there.
    url: Option<String>,
    /// Its place in a vendor's cloud; null on one's own machines.
    place: Option<PlaceView>,
    /// The deployment it shows.
    #[schema(value_type = Option<String>)]
    live_deployment_id: Option<DeploymentId>,
    /// Requires an approval by another user of each deployment.
    protected: bool,
    /// Creation time.
    created_at: DateTime<Utc>,
}

/// A variable that is set; its value is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EnvironmentVariable)]
struct VariableView {
    /// Its name.
    name: String,
    /// Time at which the present value was set.
    created_at: DateTime<Utc>,
}

impl From<Variable> for VariableView {
    fn from(variable: Variable) -> Self {
        Self { name: variable.name, created_at: variable.created_at }
    }
}

/// Selection of the environment.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EnvironmentQuery {
    /// The environment; production when left out.
    environment: Option<String>,
}

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoQuery {}

/// Variables to set, all or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VariableChange)]
struct SetBody {
    /// The environment; production when left out, made when the project has none of that name.
    environment: Option<String>,
    /// The variables to set; others stay as they are.
    #[schema(value_type = Vec<VariableInput>, max_items = 500)]
    variables: Vec<JsonObject<VariableInput>>,
}

/// A variable to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VariableInput {
    /// Letters, digits and `_`.
    name: String,
    /// The value; it is sealed and never shown again.
    #[schema(value_type = String, max_length = 65536, write_only)]
    value: Secret,
}

/// The environments of a project, oldest first.
#[utoipa::path(get, path = "/api/v1/projects/{id}/environments", tag = "projects", operation_id = "listEnvironments",
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$")),
    responses((status = 200, body = PageOf<EnvironmentView>)))]
async fn list(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<ProjectId>,
    OriginalUri(uri): OriginalUri,
    Query(NoQuery {}): Query<NoQuery>,
) -> Answer<PageOf<EnvironmentView>> {
    let project = services.projects().get(&actor, id).await?;
    let found = services.environments().list(&actor, &[id]).await?;
    let ids: Vec<_> = found.iter().map(|environment| environment.id).collect();
    let places = services.placements().of_environments(actor.team_id, &ids).await?;
    let shown = |environment: Environment| {
        Ok(EnvironmentView {
            url: services.environments().url(&project, &environment, places.get(&environment.id))?,
            place: places.get(&environment.id).cloned().map(PlaceView::from),
            id: environment.id,
            name: environment.name.to_string(),
            live_deployment_id: environment.live_deployment_id,
            protected: environment.protected,
            created_at: environment.created_at,
        })
    };
    let nodes = found.into_iter().map(shown).collect::<services::Result<Vec<_>>>()?;
    Ok(PageOf::whole(nodes, uri))
}

/// The variables that are set in an environment, by name, without their values.
#[utoipa::path(get, path = "/api/v1/projects/{id}/env", tag = "variables", operation_id = "listVariables",
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$"), EnvironmentQuery),
    responses((status = 200, body = PageOf<VariableView>)))]
async fn list_variables(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<ProjectId>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<EnvironmentQuery>,
) -> Answer<PageOf<VariableView>> {
    let environment = services.environments().by_name(&actor, id, query.environment.as_deref()).await?;
    let variables = services.variables().list(&actor, &environment).await?;
    Ok(PageOf::whole(variables.into_iter().map(VariableView::from).collect(), uri))
}

/// Sets variables of an environment, all or none; the next deployment has them.
#[utoipa::path(patch, path = "/api/v1/projects/{id}/env", tag = "variables", operation_id = "setVariables", request_body = SetBody,
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$")),
    responses((status = 200, body = PageOf<VariableView>)))]
async fn set_variables(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path(id): Path<ProjectId>,
    OriginalUri(uri): OriginalUri,
    Body(body): Body<SetBody>,
) -> Answer<Json<PageOf<VariableView>>> {
    let values = body.variables.into_iter().map(|JsonObject(variable)| (variable.name, variable.value)).collect();
    let variables = services.variables().set(&actor, id, body.environment.as_deref(), values).await?;
    Ok(Json(PageOf::whole(variables.into_iter().map(VariableView::from).collect(), uri)))
}

/// Unsets a variable of an environment; the next deployment is without it.
#[utoipa::path(delete, path = "/api/v1/projects/{id}/env/{name}", tag = "variables", operation_id = "unsetVariable",
    params(("id" = String, Path, description = "The project.", pattern = "^prj_[0-9a-f]{32}$"),
        ("name" = String, Path, description = "The variable."), EnvironmentQuery),
    responses((status = 204)))]
async fn unset_variable(
    Caller(actor): Caller,
    State(services): State<Services>,
    Path((id, name)): Path<(ProjectId, String)>,
    Query(query): Query<EnvironmentQuery>,
) -> Answer<StatusCode> {
    services.variables().unset(&actor, id, query.environment.as_deref(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
