use async_graphql::{Context, Object, Result};

use crate::context::caller;
use crate::error::to_graphql;
use crate::projects::model::git::GitInstallation;

#[derive(Default)]
pub struct GitQuery;

#[Object]
impl GitQuery {
    /// Returns the accounts on which the installation's GitHub App is installed. Operators only.
    async fn git_installations(&self, context: &Context<'_>) -> Result<Vec<GitInstallation>> {
        let (services, actor) = caller(context)?;
        Ok(services.git().installations(actor).await.map_err(to_graphql)?.into_iter().map(GitInstallation::from).collect())
    }
}
