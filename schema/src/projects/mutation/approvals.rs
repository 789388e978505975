use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::deployments::{DeploymentPayload, payload};
use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;
use crate::projects::model::environment::Environment;

#[derive(Default)]
pub struct ApprovalMutation;

#[derive(InputObject)]
struct ApproveDeploymentInput {
    /// The deployment.
    deployment_id: ID,
    /// Reason, for readers of its events.
    reason: Option<String>,
}

#[derive(InputObject)]
struct RejectDeploymentInput {
    /// The deployment.
    deployment_id: ID,
    /// Reason, for the user who requested it.
    reason: Option<String>,
}

#[derive(InputObject)]
struct ProtectEnvironmentInput {
    /// The project.
    project_id: ID,
    /// The environment; production when left out, made when the project has none of that name.
    environment: Option<String>,
    /// Requires an approval by another user of each deployment.
    protected: bool,
}

#[derive(SimpleObject)]
struct EnvironmentPayload {
    /// The environment, when it went well.
    environment: Option<Environment>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[Object]
impl ApprovalMutation {
    /// Approves a deployment of somebody else to a protected environment: it goes on.
    async fn approve_deployment(&self, context: &Context<'_>, input: ApproveDeploymentInput) -> Result<DeploymentPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let id = parse_id("deploymentId", &input.deployment_id)?;
            services.approvals().approve(actor, id, input.reason.as_deref()).await
        };
        payload(change.await)
    }

    /// Rejects a deployment to a protected environment: it is cancelled.
    async fn reject_deployment(&self, context: &Context<'_>, input: RejectDeploymentInput) -> Result<DeploymentPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let id = parse_id("deploymentId", &input.deployment_id)?;
            services.approvals().reject(actor, id, input.reason.as_deref()).await
        };
        payload(change.await)
    }

    /// Protects an environment, or no longer.
    async fn protect_environment(&self, context: &Context<'_>, input: ProtectEnvironmentInput) -> Result<EnvironmentPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let project = parse_id("projectId", &input.project_id)?;
            let name = input.environment.as_deref();
            let environment = services.environments().protect(actor, project, name, input.protected).await?;
            Ok(Environment { environment, project: services.projects().get(actor, project).await? })
        };
        let (environment, user_errors) = user_errors(change.await)?;
        Ok(EnvironmentPayload { environment, user_errors })
    }
}
