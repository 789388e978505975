use async_graphql::{ComplexObject, Context, ID, Object, Result};
use services::ServiceError;

use super::model::{Cloud, CloudAccount, CloudBase, CloudResource};
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;

/// The most things of an account that are shown at once.
const MAX_RESOURCES: i32 = 200;

#[derive(Default)]
pub struct CloudQuery;

#[Object]
impl CloudQuery {
    /// Clouds of vendors that deployments can go to, beside one's own machines.
    async fn clouds(&self, context: &Context<'_>) -> Result<Vec<Cloud>> {
        let (services, _) = caller(context)?;
        Ok(services.vendors().map(|vendor| Cloud::new(vendor.name(), vendor.about())).collect())
    }

    /// The team's accounts at vendors, by cloud and name.
    async fn cloud_accounts(&self, context: &Context<'_>) -> Result<Vec<CloudAccount>> {
        let (services, actor) = caller(context)?;
        let accounts = services.cloud_accounts().list(actor).await.map_err(to_graphql)?;
        Ok(accounts.into_iter().map(CloudAccount::from).collect())
    }

    /// An account of the team.
    async fn cloud_account(&self, context: &Context<'_>, id: ID) -> Result<Option<CloudAccount>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("id", &id).map_err(to_graphql)?;
        match services.cloud_accounts().get(actor, id).await {
            Ok(account) => Ok(Some(account.into())),
            Err(ServiceError::NotFound(_)) => Ok(None),
            Err(error) => Err(to_graphql(error)),
        }
    }
}

#[ComplexObject]
impl CloudAccount {
    /// Things that environments in it share.
    async fn bases(&self, context: &Context<'_>) -> Result<Vec<CloudBase>> {
        let (services, actor) = caller(context)?;
        let bases = services.cloud_accounts().bases(actor, self.row.id).await.map_err(to_graphql)?;
        Ok(bases.into_iter().map(CloudBase::from).collect())
    }

    /// Everything that exists in it because of us, newest first; at most 200.
    async fn resources(&self, context: &Context<'_>, first: Option<i32>) -> Result<Vec<CloudResource>> {
        let (services, actor) = caller(context)?;
        let first = first.unwrap_or(MAX_RESOURCES).clamp(1, MAX_RESOURCES);
        let found = services.cloud_accounts().resources(actor, self.row.id, first.into()).await.map_err(to_graphql)?;
        Ok(found.into_iter().map(CloudResource::from).collect())
    }
}
