use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use services::ServiceError;
use services::deployments::{Trigger, TriggerSource};

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;
use crate::projects::model::deployment::Deployment;

#[derive(Default)]
pub struct DeploymentMutation;

#[derive(InputObject)]
struct TriggerDeploymentInput {
    /// The project.
    project_id: ID,
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

#[derive(InputObject)]
struct PromoteDeploymentInput {
    /// The deployment whose artifact to use.
    deployment_id: ID,
    /// The environment to promote to; production when left out.
    environment: Option<String>,
}

#[derive(InputObject)]
struct RollbackDeploymentInput {
    /// The project.
    project_id: ID,
    /// The environment; production when left out.
    environment: Option<String>,
    /// The deployment to go back to; the one before the present one when left out.
    to_deployment_id: Option<ID>,
}

#[derive(InputObject)]
struct CancelDeploymentInput {
    /// The deployment.
    deployment_id: ID,
}

#[derive(SimpleObject)]
pub(crate) struct DeploymentPayload {
    /// The deployment, when it went well.
    deployment: Option<Deployment>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

pub(crate) fn payload(result: services::Result<domain::deployment::Deployment>) -> Result<DeploymentPayload> {
    let (deployment, user_errors) = user_errors(result)?;
    Ok(DeploymentPayload { deployment: deployment.map(Deployment), user_errors })
}

fn source(input: &TriggerDeploymentInput) -> services::Result<TriggerSource> {
    match (&input.upload, &input.repository, &input.reference) {
        (Some(digest), None, None) => Ok(TriggerSource::Upload { digest: digest.clone() }),
        (None, repository, reference) => Ok(TriggerSource::Git { repository: repository.clone(), reference: reference.clone() }),
        _ => Err(ServiceError::invalid("upload", "ONE_OF", "give either `upload`, or `repository` and `reference`")),
    }
}

#[Object]
impl DeploymentMutation {
    /// Deploys a source.
    async fn trigger_deployment(&self, context: &Context<'_>, input: TriggerDeploymentInput) -> Result<DeploymentPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let project = parse_id("projectId", &input.project_id)?;
            let source = source(&input)?;
            services
                .deployments()
                .trigger(
                    actor,
                    Trigger {
                        project,
                        environment: input.environment,
                        cloud: input.cloud,
                        region: input.region,
                        source,
                        directory: input.directory,
                    },
                )
                .await
        };
        payload(change.await)
    }

    /// Makes the artifact of a deployment live in another environment, with that environment's variables.
    async fn promote_deployment(&self, context: &Context<'_>, input: PromoteDeploymentInput) -> Result<DeploymentPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let id = parse_id("deploymentId", &input.deployment_id)?;
            services.deployments().promote(actor, id, input.environment.as_deref()).await
        };
        payload(change.await)
    }

    /// Brings back what an environment showed before: artifact, configuration and secrets. Nothing is rebuilt.
    async fn rollback_deployment(&self, context: &Context<'_>, input: RollbackDeploymentInput) -> Result<DeploymentPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let project = parse_id("projectId", &input.project_id)?;
            let to = input.to_deployment_id.as_ref().map(|id| parse_id("toDeploymentId", id)).transpose()?;
            services.deployments().rollback(actor, project, input.environment.as_deref(), to).await
        };
        payload(change.await)
    }

    /// Cancels a deployment: its build is killed, what was started is stopped.
    async fn cancel_deployment(&self, context: &Context<'_>, input: CancelDeploymentInput) -> Result<DeploymentPayload> {
        let (services, actor) = caller(context)?;
        let change = async { services.deployments().cancel(actor, parse_id("deploymentId", &input.deployment_id)?).await };
        payload(change.await)
    }
}
