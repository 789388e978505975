use async_graphql::{Context, Object, Result};

use crate::context::caller;
use crate::error::to_graphql;
use crate::projects::model::approval::Approval;

#[derive(Default)]
pub struct ApprovalQuery;

#[Object]
impl ApprovalQuery {
    /// The approvals that deployments wait for, oldest first.
    #[graphql(complexity = "20 * child_complexity")]
    async fn approvals(&self, context: &Context<'_>) -> Result<Vec<Approval>> {
        let (services, actor) = caller(context)?;
        Ok(services.approvals().pending(actor).await.map_err(to_graphql)?.into_iter().map(Approval::from).collect())
    }
}
