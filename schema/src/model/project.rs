use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::DeploymentId;
use domain::project;

use super::deployment::Deployment;
use super::environment::Environment;
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::loaders;
use crate::paging::{Total, connection, page_size};

/// Something a team deploys.
pub struct Project(pub project::Project);

/// Something that exists in a cloud because of a project.
#[derive(SimpleObject)]
pub struct Resource {
    /// The cloud it is in.
    pub cloud: String,
    /// What it is.
    pub kind: String,
    /// Its name in that cloud.
    pub external_id: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

impl Project {
    async fn environments(&self, context: &Context<'_>) -> Result<Vec<Environment>> {
        let loader = context.data::<DataLoader<loaders::Environments>>()?;
        let environments = loader.load_one(self.0.id).await?.unwrap_or_default();
        Ok(environments.into_iter().map(|environment| Environment { environment, project: self.0.clone() }).collect())
    }
}

#[Object]
impl Project {
    /// Identity.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The unique name, first label of its addresses.
    async fn slug(&self) -> &str {
        self.0.name.as_str()
    }

    /// The same as `slug`.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// The repository it is deployed from by default.
    async fn repository(&self) -> Option<&str> {
        self.0.repository.as_deref()
    }

    /// The branch, tag or commit used by default.
    async fn reference(&self) -> Option<&str> {
        self.0.reference.as_deref()
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// Whether it is being deleted.
    async fn deleting(&self) -> bool {
        self.0.deleting_at.is_some()
    }

    /// Its environments, oldest first.
    #[graphql(name = "environments", complexity = "5 * child_complexity")]
    async fn environment_list(&self, context: &Context<'_>) -> Result<Vec<Environment>> {
        self.environments(context).await
    }

    /// The environment of this name, `production` when none is given.
    async fn environment(&self, context: &Context<'_>, name: Option<String>) -> Result<Option<Environment>> {
        let name = name.unwrap_or_else(|| "production".to_owned());
        Ok(self.environments(context).await?.into_iter().find(|found| found.environment.name.as_str() == name))
    }

    /// Its deployments, newest first; of one environment if one is named.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(20) * child_complexity")]
    async fn deployments(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        environment: Option<String>,
    ) -> Result<Connection<String, Deployment, Total, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let size = page_size(first)?;
        let cursor: Option<DeploymentId> =
            after.as_ref().map(|id| parse_id("after", &ID::from(id))).transpose().map_err(to_graphql)?;
        let environment = match environment {
            Some(name) => {
                let found = services.environment_named(actor, self.0.id, Some(&name)).await.map_err(to_graphql)?;
                Some(found.id)
            }
            None => None,
        };
        let page = services.deployments(actor, self.0.id, environment, cursor, size).await.map_err(to_graphql)?;
        let total = services.deployment_count(actor, self.0.id).await.map_err(to_graphql)?;
        Ok(connection(page, cursor.is_none(), total, |deployment| deployment.id.to_string(), Deployment))
    }

    /// All that exists in clouds because of it.
    async fn resources(&self, context: &Context<'_>) -> Result<Vec<Resource>> {
        let (services, actor) = caller(context)?;
        let resources = services.resources(actor, self.0.id).await.map_err(to_graphql)?;
        Ok(resources
            .into_iter()
            .map(|found| Resource {
                cloud: found.cloud,
                kind: found.kind,
                external_id: found.external_id,
                created_at: found.created_at,
            })
            .collect())
    }
}
