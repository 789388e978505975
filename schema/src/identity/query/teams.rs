use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, ID, Object, Result};
use domain::access::Role;

use crate::connection::connection;
use crate::context::caller;
use crate::error::to_graphql;
use crate::identity::model::roles::RoleDefinition;
use crate::identity::model::team::{Storage, Team, Viewer};
use crate::input::parse_id;
use crate::paging::page_size;

#[derive(Default)]
pub struct TeamQuery;

#[Object]
impl TeamQuery {
    /// Returns the caller.
    async fn me(&self, context: &Context<'_>) -> Result<Viewer> {
        caller(context).map(|_| Viewer)
    }

    /// All teams of the installation, the oldest first. For who runs it.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(0) * child_complexity")]
    async fn teams(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<ID>,
    ) -> Result<Connection<String, Team, EmptyFields, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let after = after.as_ref().map(|id| parse_id("after", id)).transpose().map_err(to_graphql)?;
        let page = services.teams().list(actor, after, page_size(first)?).await.map_err(to_graphql)?;
        Ok(connection(page, after.is_none(), |team| (team.id.to_string(), Team::from(team))))
    }

    /// Returns the team's storage use.
    async fn storage(&self, context: &Context<'_>) -> Result<Storage> {
        let (services, actor) = caller(context)?;
        Ok(services.artifacts().storage(actor).await.map_err(to_graphql)?.into())
    }

    /// The roles there are: the built-in ones, then those that the team made.
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<RoleDefinition>> {
        let (services, actor) = caller(context)?;
        let made = services.roles().list(actor).await.map_err(to_graphql)?;
        Ok(Role::ALL.into_iter().map(RoleDefinition::from).chain(made.into_iter().map(RoleDefinition::from)).collect())
    }
}
