use async_graphql::{Context, Object, Result};

use crate::context::caller;
use crate::error::to_graphql;
use crate::identity::model::account::Invitation;
use crate::identity::model::team::TeamMember;

#[derive(Default)]
pub struct MemberQuery;

#[Object]
impl MemberQuery {
    /// The invitations to the team that nobody answered yet, oldest first.
    async fn invitations(&self, context: &Context<'_>) -> Result<Vec<Invitation>> {
        let (services, actor) = caller(context)?;
        Ok(services.invitations().list(actor).await.map_err(to_graphql)?.into_iter().map(Invitation::from).collect())
    }

    /// The members of the team, oldest first.
    async fn members(&self, context: &Context<'_>) -> Result<Vec<TeamMember>> {
        let (services, actor) = caller(context)?;
        let members = services.members().list(actor).await.map_err(to_graphql)?;
        Ok(members.into_iter().map(TeamMember::from).collect())
    }
}
