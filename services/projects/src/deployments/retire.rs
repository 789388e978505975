//! Removes from clouds what deployments left there that nobody will go back to.

use domain::deployment::DeploymentStatus;
use domain::id::{EnvironmentId, TeamId};
use jobs::payload::RetireJob;
use jobs::{JobAttempt, JobError, Outcome};
use store::StoreError;

use super::transitions;
use crate::Deployments;

impl Deployments {
    /// The work of a [`RetireJob`].
    pub async fn run_retirement(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: RetireJob = run.payload()?;
        let deployment = self.store().deployment_get(job.team_id, job.deployment_id).await?;
        // What is shown, or about to be, stays.
        if deployment.is_none_or(|deployment| deployment.status == DeploymentStatus::Live || deployment.status.is_moving()) {
            return Ok(Outcome::Done);
        }
        for resource in self.store().resource_list_of_deployment(job.team_id, job.deployment_id).await? {
            self.projects().remove_resource(run, &resource).await?;
        }
        Ok(Outcome::Done)
    }

    /// Lets go of superseded deployments beyond the number that is kept ready for rollback. Their artifacts
    /// are given up by housekeeping.
    pub(super) async fn retire_beyond(&self, team: TeamId, environment: EnvironmentId) -> Result<(), StoreError> {
        let keep = self.settings().keep_superseded;
        let beyond = self.store().deployment_list_beyond(team, environment, keep).await?;
        if beyond.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for deployment in beyond {
            transitions::retire(&mut tx, team, environment, deployment.id).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
