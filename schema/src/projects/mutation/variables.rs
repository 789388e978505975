use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::secret::Secret;

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;

#[derive(Default)]
pub struct VariableMutation;

#[derive(InputObject)]
struct SetEnvironmentVariableInput {
    /// The project.
    project_id: ID,
    /// The environment; production when left out.
    environment: Option<String>,
    /// The variables to set, all or none.
    variables: Vec<VariableInput>,
}

#[derive(InputObject)]
struct VariableInput {
    /// Letters, digits and `_`.
    name: String,
    /// The value; it is sealed and never shown again.
    value: String,
}

#[derive(InputObject)]
struct UnsetEnvironmentVariableInput {
    /// The project.
    project_id: ID,
    /// The environment; production when left out.
    environment: Option<String>,
    /// The variable.
    name: String,
}

#[derive(SimpleObject)]
struct VariablesPayload {
    /// The names of the variables that are set now.
    names: Option<Vec<String>>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[Object]
impl VariableMutation {
    /// Sets variables of an environment; the next deployment has them.
    async fn set_environment_variable(
        &self,
        context: &Context<'_>,
        input: SetEnvironmentVariableInput,
    ) -> Result<VariablesPayload> {
        let (services, actor) = caller(context)?;
        let values = input.variables.into_iter().map(|variable| (variable.name, Secret::new(variable.value))).collect();
        let change = async {
            let project = parse_id("projectId", &input.project_id)?;
            services.variables().set(actor, project, input.environment.as_deref(), values).await
        };
        let (variables, user_errors) = user_errors(change.await)?;
        let names = variables.map(|variables| variables.into_iter().map(|variable| variable.name).collect());
        Ok(VariablesPayload { names, user_errors })
    }

    /// Unsets a variable of an environment; the next deployment is without it.
    async fn unset_environment_variable(
        &self,
        context: &Context<'_>,
        input: UnsetEnvironmentVariableInput,
    ) -> Result<VariablesPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let project = parse_id("projectId", &input.project_id)?;
            services.variables().unset(actor, project, input.environment.as_deref(), &input.name).await?;
            let environment = services.environments().by_name(actor, project, input.environment.as_deref()).await?;
            services.variables().list(actor, &environment).await
        };
        let (variables, user_errors) = user_errors(change.await)?;
        let names = variables.map(|variables| variables.into_iter().map(|variable| variable.name).collect());
        Ok(VariablesPayload { names, user_errors })
    }
}
