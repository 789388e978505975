//! Resolution of the commit from which a deployment that waits for an approval is built: the commit that approvers review is the
//! one that goes live, whatever is pushed meanwhile.

use domain::deployment::{Cause, Deployment, DeploymentStatus};
use domain::source::Source;
use jobs::payload::{ResolveJob, job_of};
use jobs::{JobAttempt, JobError, Outcome};
use services_core::Result;
use services_core::unit_of_work::UnitOfWork;
use sources::git::resolve_git;
use store::NewJob;

use super::source::fetch_error;
use super::workspace::Workspace;
use super::{PhaseError, transitions};
use crate::Deployments;

/// Before the builds that wait in the same queue: people wait for it, and it is short.
const PRIORITY: i64 = 50;

/// Returns true if the commit to build is still undetermined.
pub(super) fn is_unresolved(deployment: &Deployment) -> bool {
    deployment.trigger == Cause::Build && matches!(deployment.source, Source::Git { .. }) && deployment.commit_sha.is_none()
}

/// Writes the job that finds the commit of a deployment, unless it is known.
pub(super) async fn resolve_job(tx: &mut UnitOfWork, deployment: &Deployment) -> Result<()> {
    if !is_unresolved(deployment) {
        return Ok(());
    }
    let payload = ResolveJob { version: 1, team_id: deployment.team_id, deployment_id: deployment.id };
    tx.insert_job(&NewJob { priority: PRIORITY, ..job_of(&payload) }).await?;
    Ok(())
}

impl Deployments {
    /// The work of a [`ResolveJob`].
    pub async fn run_resolve(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: ResolveJob = run.payload()?;
        let Some(deployment) = self.store().deployment_get(job.team_id, job.deployment_id).await? else {
            return Ok(Outcome::Done);
        };
        if deployment.status != DeploymentStatus::Queued || !is_unresolved(&deployment) {
            return Ok(Outcome::Done);
        }
        let workspace = Workspace::create(&self.settings().directory, &format!("{}-commit", deployment.id)).await?;
        let result = self.resolve_in(run, &deployment, &workspace).await;
        workspace.remove().await;
        self.conclude(run, &deployment, result).await
    }

    async fn resolve_in(&self, run: &JobAttempt, deployment: &Deployment, workspace: &Workspace) -> Result<Outcome, PhaseError> {
        let Source::Git { repository, reference, .. } = &deployment.source else { return Ok(Outcome::Done) };
        let (options, stop) = (self.git_options(deployment, repository).await?, run.stop.clone());
        let commit = resolve_git(repository, reference.as_ref(), &workspace.source(), &options, stop).await;
        let commit = commit.map_err(|error| fetch_error(run, &error))?;
        let (mut tx, deployment) = self.fenced(run, deployment).await?;
        // It may have been cancelled meanwhile.
        if deployment.status != DeploymentStatus::Queued || !is_unresolved(&deployment) {
            return Ok(Outcome::Done);
        }
        tx.deployment_set_commit(deployment.team_id, deployment.id, &commit).await?;
        let message = format!("commit {commit} is what waits: it is built whatever is pushed meanwhile");
        transitions::record_event(&mut tx, &deployment, deployment.status, &message).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }
}
