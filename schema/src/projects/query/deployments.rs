use async_graphql::{Context, ID, Object, Result};
use services::ServiceError;

use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::projects::model::deployment::Deployment;

#[derive(Default)]
pub struct DeploymentQuery;

#[Object]
impl DeploymentQuery {
    /// A deployment; null if not found in the team.
    async fn deployment(&self, context: &Context<'_>, id: ID) -> Result<Option<Deployment>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("id", &id).map_err(to_graphql)?;
        match services.deployments().get(actor, id).await {
            Ok(deployment) => Ok(Some(Deployment(deployment))),
            Err(ServiceError::NotFound(_)) => Ok(None),
            Err(error) => Err(to_graphql(error)),
        }
    }
}
