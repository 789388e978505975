//! Leaving vendors' clouds: what nobody sees rests, what nobody goes back to is removed.

use clouds_contract::{CloudError, Progress, Unneeded};
use domain::cloud::{Placement, PlacementState, TargetState};
use domain::deployment::{Deployment, DeploymentStatus};
use domain::id::{DeploymentId, PlacementId, TeamId};
use domain::time::now;
use jobs::payload::{CleanPlacementJob, RestJob, RetireFromJob, job_of};
use jobs::{JobAttempt, JobError, Later, Outcome};
use services_clouds::{UNUSABLE_PAUSE, Unusable, Work, patiently};
use services_core::ServiceError;
use services_core::unit_of_work::UnitOfWork;
use store::{NewJob, StoreError};

use super::changes::DeploymentLog;
use crate::Deployments;

/// Time for which visitors who are being served by the deployment before may go on.
const DRAIN: chrono::TimeDelta = chrono::TimeDelta::seconds(30);

impl Deployments {
    /// The work of a [`RestJob`].
    pub async fn run_rest(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: RestJob = run.payload()?;
        let Some(deployment) = self.store().deployment_get(job.team_id, job.deployment_id).await? else {
            return Ok(Outcome::Done);
        };
        let Some(placement) = self.placements().of_deployment(job.team_id, job.deployment_id).await.map_err(retry)? else {
            return Ok(Outcome::Done);
        };
        // It may be shown again, or be on its way.
        if deployment.status != DeploymentStatus::Superseded || placement.shown_deployment_id == Some(deployment.id) {
            return Ok(Outcome::Done);
        }
        let Some(spec) = &deployment.workload else { return Ok(Outcome::Done) };
        let work = match self.work_in(run, &placement).await.map_err(retry)? {
            Ok(work) => work,
            Err(Unusable(reason)) => return Ok(until_usable(reason)),
        };
        let (inputs, log) = (self.inputs_of(&deployment), DeploymentLog::new(self, &deployment));
        let scope = work.scope(&inputs, &log);
        match patiently(run, || work.cloud.rest(&scope, deployment.id, spec)).await {
            Ok(Progress::Ready(())) => {}
            Ok(Progress::Pending(wait)) => {
                return Ok(Outcome::Later(Later { after: wait.retry_after, holds: false, waits_for: wait.detail }));
            }
            Err(error) => return self.bases().give_way(&work.account, error).await,
        }
        self.set_target(run, job.team_id, job.deployment_id, TargetState::Resting).await
    }

    /// The work of a [`RetireFromJob`].
    pub async fn run_retire_from(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: RetireFromJob = run.payload()?;
        let deployment = self.store().deployment_get(job.team_id, job.deployment_id).await?;
        // What is shown, or about to be, stays.
        if deployment.is_some_and(|deployment| deployment.status == DeploymentStatus::Live || deployment.status.is_moving()) {
            return Ok(Outcome::Done);
        }
        let Some(placement) = self.placements().of_deployment(job.team_id, job.deployment_id).await.map_err(retry)? else {
            return Ok(Outcome::Done);
        };
        let work = match self.work_in(run, &placement).await.map_err(retry)? {
            Ok(work) => work,
            Err(Unusable(reason)) => return Ok(until_usable(reason)),
        };
        match self.remove_from(run, &work, job.deployment_id).await {
            Ok(None) => {}
            Ok(Some(later)) => return Ok(later),
            Err(error) => return self.bases().give_way(&work.account, error).await,
        }
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        tx.deployment_target_change(job.team_id, job.deployment_id, TargetState::Gone, None, None).await?;
        // A place where nothing ever went live is not kept for its sake.
        if tx.placement_leave_unused(job.team_id, placement.id).await? {
            clean(&mut tx, &placement).await?;
        }
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    /// The work of a [`CleanPlacementJob`]: the deployments, then what they shared, then the place itself.
    pub async fn run_clean_placement(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: CleanPlacementJob = run.payload()?;
        let Some(placement) = self.store().placement_get(job.team_id, job.placement_id).await? else { return Ok(Outcome::Done) };
        if placement.state != PlacementState::Going {
            return Ok(Outcome::Done);
        }
        let work = match self.work_in(run, &placement).await.map_err(retry)? {
            Ok(work) => work,
            Err(Unusable(reason)) => return Ok(until_usable(reason)),
        };
        match self.empty(run, &work, &placement).await {
            Ok(None) => {}
            Ok(Some(later)) => return Ok(later),
            Err(error) => return self.bases().give_way(&work.account, error).await,
        }
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        if tx.placement_empty(placement.team_id, placement.id).await? {
            tx.placement_forget(placement.team_id).await?;
            self.bases().release_unused(&mut tx, placement.team_id, placement.account_id, &placement.region).await?;
        }
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    /// Goes on with places that are left and whose job was given up. Called by housekeeping.
    pub async fn clean_places_left(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for placement in self.store().placement_list_going().await? {
            clean(&mut tx, &placement).await?;
        }
        tx.commit().await
    }

    async fn empty(&self, run: &JobAttempt, work: &Work, placement: &Placement) -> Result<Option<Outcome>, CloudError> {
        let targets = self.store().deployment_target_list(placement.team_id, placement.id).await;
        let targets = targets.map_err(|error| CloudError::internal("deployments could not be listed", error))?;
        for target in targets.iter().filter(|target| target.state != TargetState::Gone) {
            if let Some(later) = self.remove_from(run, work, target.deployment_id).await? {
                return Ok(Some(later));
            }
        }
        let nothing = Unneeded;
        let scope = work.scope(&nothing, &nothing);
        match patiently(run, || work.cloud.traffic.remove(&scope)).await? {
            Progress::Ready(()) => Ok(None),
            Progress::Pending(wait) => {
                Ok(Some(Outcome::Later(Later { after: wait.retry_after, holds: true, waits_for: wait.detail })))
            }
        }
    }

    async fn remove_from(&self, run: &JobAttempt, work: &Work, deployment: DeploymentId) -> Result<Option<Outcome>, CloudError> {
        let nothing = Unneeded;
        let scope = work.scope(&nothing, &nothing);
        match patiently(run, || work.cloud.delete(&scope, deployment)).await? {
            Progress::Ready(()) => Ok(None),
            Progress::Pending(wait) => {
                Ok(Some(Outcome::Later(Later { after: wait.retry_after, holds: false, waits_for: wait.detail })))
            }
        }
    }

    async fn set_target(
        &self,
        run: &JobAttempt,
        team: TeamId,
        deployment: DeploymentId,
        state: TargetState,
    ) -> Result<Outcome, JobError> {
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        tx.deployment_target_change(team, deployment, state, None, None).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn retry(error: ServiceError) -> JobError {
    JobError::Retry(jobs::handler::chain(&error))
}

/// Leaves the places of an environment where a deployment did not go.
pub(super) async fn leave_others(
    tx: &mut UnitOfWork,
    deployment: &Deployment,
    stays: Option<PlacementId>,
) -> Result<(), StoreError> {
    let Deployment { team_id, environment_id, .. } = *deployment;
    for placement in tx.placement_list(team_id, environment_id).await? {
        if Some(placement.id) != stays {
            leave(tx, &placement).await?;
        }
    }
    Ok(())
}

/// Leaves a place: a job removes everything that is there.
pub(crate) async fn leave(tx: &mut UnitOfWork, placement: &Placement) -> Result<(), StoreError> {
    if tx.placement_leave(placement.team_id, placement.id).await? {
        clean(tx, placement).await?;
    }
    Ok(())
}

/// Writes the job that removes what is in a place, unless there is one.
async fn clean(tx: &mut UnitOfWork, placement: &Placement) -> Result<(), StoreError> {
    let Placement { team_id, environment_id, id: placement_id, .. } = *placement;
    let job = CleanPlacementJob { version: 1, team_id, environment_id, placement_id };
    let deduplication_key = Some(format!("clean:{placement_id}"));
    tx.insert_job(&NewJob { deduplication_key, ..job_of(&job) }).await?;
    Ok(())
}

/// Lets a deployment rest that another has taken the place of, once its last visitors are gone.
pub(super) async fn let_rest(tx: &mut UnitOfWork, before: &Deployment, placement: Option<PlacementId>) -> Result<(), StoreError> {
    let Deployment { team_id, environment_id, id: deployment_id, .. } = *before;
    let target = tx.deployment_target_find(team_id, deployment_id).await?;
    // A place that is left is emptied altogether.
    if placement.is_some() && target.map(|target| target.placement_id) == placement {
        let rest = RestJob { version: 1, team_id, environment_id, deployment_id };
        tx.insert_job(&NewJob { run_at: now() + DRAIN, ..job_of(&rest) }).await?;
    }
    Ok(())
}

/// Pause of clean-up work whose account cannot be used.
fn until_usable(reason: String) -> Outcome {
    Outcome::Later(Later { after: UNUSABLE_PAUSE, holds: false, waits_for: reason })
}
