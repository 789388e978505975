use async_graphql::dataloader::DataLoader;
use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::approval;
pub use domain::approval::ApprovalState;
use domain::id::DeploymentId;

use super::deployment::Deployment;
use crate::loaders;

/// The approval that a deployment to a protected environment needs.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Approval {
    /// State of the approval.
    state: ApprovalState,
    /// The user who answers for the deployment and so cannot approve it.
    requested_by: ID,
    /// Time of the request.
    requested_at: DateTime<Utc>,
    /// Time until which the approval can be given.
    expires_at: DateTime<Utc>,
    /// The user who decided.
    decided_by: Option<ID>,
    /// Time of the decision.
    decided_at: Option<DateTime<Utc>>,
    /// Reason, in the decider's words.
    reason: Option<String>,
    #[graphql(skip)]
    row_id: DeploymentId,
}

impl From<approval::Approval> for Approval {
    fn from(approval: approval::Approval) -> Self {
        Self {
            state: approval.state,
            requested_by: approval.requested_by.to_string().into(),
            requested_at: approval.requested_at,
            expires_at: approval.expires_at,
            decided_by: approval.decided_by.map(|id| id.to_string().into()),
            decided_at: approval.decided_at,
            reason: approval.reason,
            row_id: approval.deployment_id,
        }
    }
}

#[ComplexObject]
impl Approval {
    /// Deployment that waits for the approval.
    async fn deployment(&self, context: &Context<'_>) -> Result<Option<Deployment>> {
        let loader = context.data::<DataLoader<loaders::Deployments>>()?;
        Ok(loader.load_one(self.row_id).await?.map(Deployment))
    }
}
