use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{environment, project};

use super::deployment::Deployment;
use super::place::Place;
use crate::context::caller;
use crate::error::to_graphql;
use crate::loaders;

/// A place a project is deployed to.
pub struct Environment {
    pub environment: environment::Environment,
    pub project: project::Project,
}

/// A variable that is set; its value is never shown.
#[derive(SimpleObject)]
pub struct EnvironmentVariable {
    /// Its name.
    pub name: String,
    /// Time at which the present value was set.
    pub created_at: DateTime<Utc>,
}

#[Object]
impl Environment {
    /// Identity.
    async fn id(&self) -> ID {
        self.environment.id.to_string().into()
    }

    /// `production`, or a name such as `preview`.
    async fn name(&self) -> &str {
        self.environment.name.as_str()
    }

    /// The address that shows it; null in a vendor's cloud before its first release there.
    async fn url(&self, context: &Context<'_>) -> Result<Option<String>> {
        let (services, _) = caller(context)?;
        let place = context.data::<DataLoader<loaders::Places>>()?.load_one(self.environment.id).await?;
        services.environments().url(&self.project, &self.environment, place.as_ref()).map_err(to_graphql)
    }

    /// Its place in a vendor's cloud; null on one's own machines.
    async fn place(&self, context: &Context<'_>) -> Result<Option<Place>> {
        Ok(context.data::<DataLoader<loaders::Places>>()?.load_one(self.environment.id).await?.map(Place::from))
    }

    /// The deployment it shows.
    async fn live_deployment(&self, context: &Context<'_>) -> Result<Option<Deployment>> {
        let Some(id) = self.environment.live_deployment_id else { return Ok(None) };
        let loader = context.data::<DataLoader<loaders::Deployments>>()?;
        Ok(loader.load_one(id).await?.map(Deployment))
    }

    /// The variables that are set, by name.
    async fn variables(&self, context: &Context<'_>) -> Result<Vec<EnvironmentVariable>> {
        let (services, actor) = caller(context)?;
        let variables = services.variables().list(actor, &self.environment).await.map_err(to_graphql)?;
        Ok(variables
            .into_iter()
            .map(|variable| EnvironmentVariable { name: variable.name, created_at: variable.created_at })
            .collect())
    }

    /// Requires an approval by another user of each deployment.
    async fn protected(&self) -> bool {
        self.environment.protected
    }

    /// Marks an environment that is being deleted.
    async fn deleting(&self) -> bool {
        self.environment.deleting_at.is_some()
    }

    /// Creation time.
    async fn created_at(&self) -> DateTime<Utc> {
        self.environment.created_at
    }
}
