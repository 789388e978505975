//! The functions that environments serve. They are part of what was deployed: one changes by deploying anew.

use axum::extract::{OriginalUri, State};
use domain::id::{DeploymentId, ProjectId};
use domain::workload::{self, WorkloadSpec};
use serde::{Deserialize, Serialize};
use services::Services;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::rest::protocol::capitals::Capitals;
use crate::rest::protocol::error::Answer;
use crate::rest::protocol::extract::{Caller, Query};
use crate::rest::protocol::paging::PageOf;
use crate::state::ApiState;

/// The routes of functions.
pub(in crate::rest) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

type FunctionRuntime = Capitals<workload::Runtime>;

/// A function that an environment serves.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Function)]
struct FunctionView {
    /// The path it answers.
    route: String,
    /// Its file within the artifact.
    file: String,
    /// Runtime of the function.
    runtime: FunctionRuntime,
    /// The deployment that it is part of.
    #[schema(value_type = String)]
    deployment_id: DeploymentId,
    /// Memory limit of one process, MiB.
    memory_mib: u64,
    /// Timeout of one call, in seconds.
    timeout_seconds: u64,
    /// Maximum number of concurrent calls; further calls wait.
    concurrency: u32,
}

/// Filter and page of the functions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListQuery {
    /// The project.
    #[param(value_type = String, pattern = "^prj_[0-9a-f]{32}$")]
    project_id: ProjectId,
    /// The environment; production when left out.
    environment: Option<String>,
}

/// The functions that an environment serves, by route; none when its live deployment has none.
#[utoipa::path(get, path = "/api/v1/functions", tag = "functions", operation_id = "listFunctions", params(ListQuery),
    responses((status = 200, body = PageOf<FunctionView>)))]
async fn list(
    Caller(actor): Caller,
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ListQuery>,
) -> Answer<PageOf<FunctionView>> {
    let environment = services.environments().by_name(&actor, query.project_id, query.environment.as_deref()).await?;
    let Some(live) = environment.live_deployment_id else { return Ok(PageOf::whole(Vec::new(), uri)) };
    let deployment = services.deployments().get(&actor, live).await?;
    let Some(WorkloadSpec::Functions(set)) = deployment.workload else { return Ok(PageOf::whole(Vec::new(), uri)) };
    let view = |function: workload::Function| FunctionView {
        route: function.route,
        file: function.file,
        runtime: function.runtime.into(),
        deployment_id: live,
        memory_mib: set.memory_mib,
        timeout_seconds: set.timeout_seconds,
        concurrency: set.concurrency,
    };
    Ok(PageOf::whole(set.functions.into_iter().map(view).collect(), uri))
}
