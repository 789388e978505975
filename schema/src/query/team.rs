use async_graphql::{Context, Object, Result};

use crate::context::caller;
use crate::error::to_graphql;
use crate::model::team::{Storage, TeamMember, Viewer};

#[derive(Default)]
pub struct TeamQuery;

#[Object]
impl TeamQuery {
    /// Who is asking.
    async fn me(&self, context: &Context<'_>) -> Result<Viewer> {
        caller(context).map(|_| Viewer)
    }

    /// What the team stores.
    async fn storage(&self, context: &Context<'_>) -> Result<Storage> {
        let (services, actor) = caller(context)?;
        Ok(services.storage(actor).await.map_err(to_graphql)?.into())
    }

    /// The members of the team, oldest first.
    async fn members(&self, context: &Context<'_>) -> Result<Vec<TeamMember>> {
        let (services, actor) = caller(context)?;
        let members = services.members(actor).await.map_err(to_graphql)?;
        Ok(members.into_iter().map(TeamMember::from).collect())
    }
}
