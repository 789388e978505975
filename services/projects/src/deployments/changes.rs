//! Fenced steps of a deployment's phases, and its log.

use async_trait::async_trait;
use chrono::Duration;
use clouds_contract::{CloudError, LogSink};
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::event::NewLine;
use domain::id::{DeploymentId, TeamId};
use jobs::{JobAttempt, JobError, Outcome, Topic};
use services_core::unit_of_work::UnitOfWork;
use store::{DeploymentChange, StoreError};

use super::{PhaseError, in_time, transitions};
use crate::Deployments;
use crate::ProjectServices;

/// Writes the lines of one deployment.
pub(crate) struct DeploymentLog {
    services: ProjectServices,
    team_id: TeamId,
    deployment_id: DeploymentId,
}

impl DeploymentLog {
    pub fn new(services: &ProjectServices, deployment: &Deployment) -> Self {
        Self { services: services.clone(), team_id: deployment.team_id, deployment_id: deployment.id }
    }

    /// Writes one line of MikroCloud's own.
    pub async fn say(&self, text: impl Into<String>) -> Result<(), StoreError> {
        self.services.deployments().append_log(self.team_id, self.deployment_id, &[NewLine::system(text)]).await
    }
}

#[async_trait]
impl LogSink for DeploymentLog {
    async fn write(&self, lines: Vec<NewLine>) -> Result<(), CloudError> {
        let written = self.services.deployments().append_log(self.team_id, self.deployment_id, &lines).await;
        written.map_err(|error| CloudError::internal("the log could not be written", error))
    }
}

impl Deployments {
    pub(crate) async fn append_log(&self, team: TeamId, deployment: DeploymentId, lines: &[NewLine]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        // A deployment that is gone takes its log with it.
        if tx.log_insert(team, deployment, lines).await?.is_some() {
            tx.publish(Topic::DeploymentLogs(deployment));
            tx.commit().await?;
        }
        Ok(())
    }

    /// A transaction of the worker that holds the job, with the project locked and the deployment read anew.
    pub(super) async fn fenced(&self, run: &JobAttempt, deployment: &Deployment) -> Result<(UnitOfWork, Deployment), StoreError> {
        let mut tx = self.begin().await?;
        // The project first, as everywhere: one order of locks.
        tx.project_lock(deployment.team_id, deployment.project_id).await?;
        tx.job_fence(run.fence).await?;
        let found = tx.deployment_find(deployment.team_id, deployment.id).await?;
        Ok((tx, found.ok_or(StoreError::Changed)?))
    }

    /// Takes a deployment to its next phase.
    pub(super) async fn advance(
        &self,
        run: &JobAttempt,
        deployment: &Deployment,
        to: DeploymentStatus,
        phase: Duration,
        message: &str,
    ) -> Result<Deployment, StoreError> {
        let (mut tx, deployment) = self.fenced(run, deployment).await?;
        if deployment.status == to {
            return Ok(deployment);
        }
        let change = DeploymentChange { from: deployment.status, to, deadline: Some(in_time(phase)), failure: None };
        tx.deployment_change(deployment.team_id, deployment.id, &change).await?;
        transitions::record_event(&mut tx, &deployment, to, message).await?;
        tx.commit().await?;
        Ok(Deployment { status: to, deadline: change.deadline, ..deployment })
    }

    /// Turns the end of a phase into the end of its job: a failure fails the deployment; a fault that outlives the job's attempts
    /// fails it too, so that it never just stops moving.
    pub(super) async fn conclude(
        &self,
        run: &JobAttempt,
        deployment: &Deployment,
        result: Result<Outcome, PhaseError>,
    ) -> Result<Outcome, JobError> {
        let (to, failure) = match result {
            Ok(outcome) => return Ok(outcome),
            Err(PhaseError::Failed(failure)) => (DeploymentStatus::Failed, failure),
            Err(PhaseError::Overtaken(failure)) => (DeploymentStatus::Cancelled, failure),
            Err(PhaseError::Job(JobError::Retry(error))) if run.job.attempts >= run.job.max_attempts => {
                tracing::error!(deployment.id = %deployment.id, error, "a deployment failed because of a fault of ours");
                let message = "internal error: the server's log has the details. Try again";
                (DeploymentStatus::Failed, Failure::new("INTERNAL", message))
            }
            Err(PhaseError::Job(error)) => return Err(error),
        };
        let (mut tx, deployment) = self.fenced(run, deployment).await?;
        if !deployment.status.is_moving() {
            return Ok(Outcome::Done);
        }
        tx.job_finish(run.fence).await?;
        transitions::end(&mut tx, &deployment, to, failure).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }
}
