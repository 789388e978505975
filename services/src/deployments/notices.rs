//! What has to be said once a transaction is committed: wake workers, hint subscribers.

use domain::approval::ApprovalState;
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::id::{DeploymentId, JobId, PreviewId, ProjectId, TeamId};
use domain::job::DueJob;
use jobs::Topic;
use jobs::payload::{CommitStatusJob, PreviewCommentJob, RetireJob, new_job};
use store::{DeploymentChange, EventKey, NewJob, StoreError, Tx};

use crate::Services;
use crate::notifications::tell_of_deployment;

/// Collected while the transaction is open, given after its commit.
#[derive(Default)]
pub(crate) struct Notices {
    jobs: Vec<(&'static str, DueJob)>,
    called_off: Vec<JobId>,
    events: Vec<(ProjectId, DeploymentId)>,
}

impl Notices {
    /// A job was written.
    pub fn job(&mut self, job: &NewJob) {
        self.jobs.push((job.queue, job.due()));
    }

    /// Writes the next event of a deployment. The caller holds the project's lock.
    pub async fn event(
        &mut self,
        tx: &mut Tx,
        deployment: &Deployment,
        status: DeploymentStatus,
        message: &str,
    ) -> Result<(), StoreError> {
        tx.event_insert(EventKey::from(deployment), status, message).await?;
        self.report(tx, deployment.team_id, deployment.id).await?;
        self.events.push((deployment.project_id, deployment.id));
        let told = tell_of_deployment(tx, deployment, status, message).await?;
        self.jobs.extend(told.iter().map(|job| (job.queue, job.due())));
        Ok(())
    }

    /// Writes the jobs that tell a Git host how a deployment of one of its commits stands.
    pub async fn report(&mut self, tx: &mut Tx, team_id: TeamId, deployment_id: DeploymentId) -> Result<(), StoreError> {
        let Some(report) = tx.git_report_find(team_id, deployment_id).await? else { return Ok(()) };
        // The payloads are plain fields: they always serialise.
        if let Ok(job) = new_job(&CommitStatusJob { version: 1, team_id, deployment_id }) {
            tx.job_insert(&job).await?;
            self.job(&job);
        }
        match report.preview_id {
            Some(preview) => self.comment(tx, team_id, preview).await,
            None => Ok(()),
        }
    }

    /// Writes the job that tells people at a pull request how its preview stands.
    pub async fn comment(&mut self, tx: &mut Tx, team_id: TeamId, preview_id: PreviewId) -> Result<(), StoreError> {
        if let Ok(job) = new_job(&PreviewCommentJob { version: 1, team_id, preview_id }) {
            tx.job_insert(&job).await?;
            self.job(&job);
        }
        Ok(())
    }

    /// Ends a moving deployment with `failed` or `cancelled`: status, event, its jobs called off, its resources to be removed.
    pub async fn end(
        &mut self,
        tx: &mut Tx,
        deployment: &Deployment,
        to: DeploymentStatus,
        failure: Failure,
    ) -> Result<(), StoreError> {
        let message = failure.message.clone();
        let change = DeploymentChange { from: deployment.status, to, deadline: None, failure: Some(failure) };
        tx.deployment_change(deployment.team_id, deployment.id, &change).await?;
        self.event(tx, deployment, to, &message).await?;
        tx.approval_end(deployment.team_id, deployment.id, ApprovalState::Withdrawn, None, None).await?;
        self.called_off.extend(tx.job_cancel_subject(deployment.team_id, deployment.id.uuid()).await?);
        if deployment.status == DeploymentStatus::Releasing {
            self.retire(tx, deployment.team_id, deployment.id).await?;
        }
        Ok(())
    }

    /// Writes the job that removes from its cloud what a deployment has there.
    pub async fn retire(&mut self, tx: &mut Tx, team_id: TeamId, deployment_id: DeploymentId) -> Result<(), StoreError> {
        let payload = RetireJob { version: 1, team_id, deployment_id };
        // The payload is three plain fields: it always serialises.
        if let Ok(job) = new_job(&payload) {
            tx.job_insert(&job).await?;
            self.job(&job);
        }
        Ok(())
    }
}

impl Services {
    /// Says what has to be said. The transaction is committed.
    pub(crate) fn give(&self, notices: Notices) {
        for (project, deployment) in notices.events {
            self.inner.bus.publish(Topic::DeploymentEvents(deployment));
            self.inner.bus.publish(Topic::ProjectEvents(project));
        }
        for job in notices.called_off {
            self.inner.bus.publish(Topic::Job(job));
        }
        for (queue, job) in notices.jobs {
            self.inner.wakeups.push(queue, job);
        }
    }
}
