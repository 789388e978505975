use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;
use crate::projects::model::environment::Environment;

#[derive(Default)]
pub struct EnvironmentMutation;

#[derive(InputObject)]
struct DeleteEnvironmentInput {
    /// The project.
    project_id: ID,
    /// The environment's name; not production.
    environment: String,
}

#[derive(SimpleObject)]
struct DeleteEnvironmentPayload {
    /// The environment, when it went well.
    environment: Option<Environment>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[Object]
impl EnvironmentMutation {
    /// Deletes an environment with its variables, schedules and deployments, and all it has in clouds. It is gone once `environments` no
    /// longer lists it.
    async fn delete_environment(&self, context: &Context<'_>, input: DeleteEnvironmentInput) -> Result<DeleteEnvironmentPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let project = parse_id("projectId", &input.project_id)?;
            let environment = services.environments().delete(actor, project, &input.environment).await?;
            Ok(Environment { environment, project: services.projects().get(actor, project).await? })
        };
        let (environment, user_errors) = user_errors(change.await)?;
        Ok(DeleteEnvironmentPayload { environment, user_errors })
    }
}
