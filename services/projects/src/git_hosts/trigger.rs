use async_trait::async_trait;
use domain::deployment::Deployment;
use domain::environment::Environment;
use domain::git_host::WebhookDeliveryState;
use domain::id::{GitConnectionId, GitDeliveryId, PreviewId, TeamId};
use domain::job::Fence;
use domain::source::Reference;
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError};
use store::{GitReport, Tx, WebhookDeliveryOutcome};

use crate::deployments::{Occasion, transitions};

/// The code of an error that says that something later was done already.
pub(super) const OVERTAKEN: &str = "OVERTAKEN";

/// Refuses, in a transaction of the job that acts on a delivery, what something later that happened to the same branch or pull request has
/// overtaken. The project is locked.
pub(super) async fn check_latest(tx: &mut Tx, fence: Fence, team: TeamId, delivery: GitDeliveryId) -> Result<()> {
    tx.job_fence(fence).await?;
    if tx.git_delivery_is_overtaken(team, delivery).await? {
        return Err(ServiceError::invalid("delivery", OVERTAKEN, "something that happened later was done already"));
    }
    Ok(())
}

/// A delivery that a deployment is triggered for: recorded in the same transaction, so that it is never triggered twice.
pub(crate) struct HostTrigger<'a> {
    /// Of the job that acts on the delivery.
    pub fence: Fence,
    /// The team.
    pub team: TeamId,
    /// The delivery.
    pub delivery: GitDeliveryId,
    /// The connection that it came by.
    pub connection: GitConnectionId,
    /// The preview that is deployed.
    pub preview: Option<PreviewId>,
    /// The commit that is deployed.
    pub commit: &'a Reference,
    /// Author of the commit, if they may not write to the repository.
    pub outside: Option<&'a str>,
}

#[async_trait]
impl Occasion for HostTrigger<'_> {
    /// Hosts send in no order.
    async fn check(&self, tx: &mut UnitOfWork) -> Result<()> {
        check_latest(tx, self.fence, self.team, self.delivery).await
    }

    fn commit(&self) -> Option<&Reference> {
        Some(self.commit)
    }

    fn author(&self) -> Option<&str> {
        self.outside
    }

    /// The host is told of it, too.
    async fn record(&self, tx: &mut UnitOfWork, deployment: &Deployment, environment: &Environment) -> Result<()> {
        let report = GitReport {
            deployment_id: deployment.id,
            team_id: self.team,
            connection_id: self.connection,
            preview_id: self.preview,
            reported: None,
        };
        tx.git_report_insert(&report).await?;
        transitions::report_commit_status(tx, self.team, deployment.id).await?;
        let outcome = WebhookDeliveryOutcome {
            state: WebhookDeliveryState::Done,
            outcome: format!("deployment number {} of `{}`", deployment.number, environment.name),
            deployment_id: Some(deployment.id),
        };
        tx.git_delivery_end(self.team, self.delivery, &outcome).await?;
        tx.alert_resolve("git_delivery_failed", &self.connection.to_string()).await?;
        Ok(tx.job_finish(self.fence).await?)
    }
}
