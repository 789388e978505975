//! Bases: what several environments of an account and region share. They are made with their first user and removed with the last.

use clouds_contract::{Base, CloudError, Outputs, Progress, Unneeded, Wait};
use domain::cloud::{CloudBase, CloudBaseState};
use domain::id::{CloudAccountId, TeamId};
use domain::time::Timestamp;
use jobs::payload::{DismantleBaseJob, PrepareBaseJob};
use jobs::{JobAttempt, JobError, Later, Outcome};
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError};
use store::StoreError;

use crate::Bases;
use crate::work::{UNUSABLE_PAUSE, Unusable, patiently};

/// State of the bases that something needs.
#[derive(Debug)]
pub enum Readiness {
    /// All are there; these are their outputs.
    Ready(Outputs),
    /// One is being made.
    Preparing(String),
    /// One could not be made.
    Failed(String),
}

impl Bases {
    /// Outputs of bases; those that are not there yet are asked for. One that could not be made before `since` is tried once more.
    pub async fn need(
        &self,
        (team, account, region): (TeamId, CloudAccountId, &str),
        bases: &[Base],
        since: Timestamp,
    ) -> Result<Readiness> {
        let mut outputs = Outputs::new();
        for base in bases {
            let mut tx = self.begin().await?;
            let (row, is_new) = tx.cloud_base_open(team, account, region, base.name()).await?;
            match row.state {
                CloudBaseState::Ready => outputs.extend(row.outputs),
                CloudBaseState::Failed if row.changed_at >= since => {
                    return Ok(Readiness::Failed(row.problem.unwrap_or_default()));
                }
                CloudBaseState::Failed => {
                    let anew = CloudBase { state: CloudBaseState::Preparing, problem: None, ..row };
                    tx.cloud_base_put(&anew).await?;
                    self.prepare(&mut tx, &anew).await?;
                    tx.commit().await?;
                    return Ok(Readiness::Preparing(format!("{} in {region}", base_title(*base))));
                }
                CloudBaseState::Preparing | CloudBaseState::Dismantling => {
                    if is_new {
                        self.prepare(&mut tx, &row).await?;
                    }
                    tx.commit().await?;
                    return Ok(Readiness::Preparing(format!("{} in {region}", base_title(*base))));
                }
            }
            tx.commit().await?;
        }
        Ok(Readiness::Ready(outputs))
    }

    async fn prepare(&self, tx: &mut UnitOfWork, base: &CloudBase) -> Result<(), StoreError> {
        tx.enqueue(&PrepareBaseJob { version: 1, team_id: base.team_id, base_id: base.id }).await
    }

    /// The work of a [`PrepareBaseJob`].
    pub async fn run_preparation(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: PrepareBaseJob = run.payload()?;
        let Some(row) = self.store().cloud_base_get(job.team_id, job.base_id).await? else { return Ok(Outcome::Done) };
        if row.state != CloudBaseState::Preparing {
            return Ok(Outcome::Done);
        }
        let work = match self.work_in_region(run, (row.team_id, row.account_id), &row.region).await.map_err(retry)? {
            Ok(work) => work,
            Err(Unusable(reason)) => {
                return self.end(run, CloudBase { state: CloudBaseState::Failed, problem: Some(reason), ..row }).await;
            }
        };
        let (Some(account), Some(base)) = (&work.cloud.account, Base::named(&row.base)) else {
            return Err(JobError::Fail(format!("there is no base `{}` in this program", row.base)));
        };
        let scope = work.scope(&Unneeded, &Unneeded);
        match patiently(run, || account.prepare(base, row.id, &scope)).await {
            Ok(Progress::Ready(outputs)) => {
                self.end(run, CloudBase { state: CloudBaseState::Ready, outputs, problem: None, ..row }).await
            }
            Ok(Progress::Pending(wait)) => Ok(later(wait)),
            Err(error) if error.is_retryable() => Err(JobError::Retry(jobs::handler::chain(&error))),
            Err(error) => {
                self.note_refusal(&work.account, &error).await?;
                self.end(run, CloudBase { state: CloudBaseState::Failed, problem: Some(error.message), ..row }).await
            }
        }
    }

    /// Asks for the bases of a region to be removed if nothing is left on them.
    pub async fn release_unused(
        &self,
        tx: &mut UnitOfWork,
        team: TeamId,
        account: CloudAccountId,
        region: &str,
    ) -> Result<(), StoreError> {
        for base in tx.cloud_base_list_unused(team, account, region).await? {
            tx.cloud_base_put(&CloudBase { state: CloudBaseState::Dismantling, ..base.clone() }).await?;
            tx.enqueue(&DismantleBaseJob { version: 1, team_id: team, base_id: base.id }).await?;
        }
        Ok(())
    }

    /// The work of a [`DismantleBaseJob`].
    pub async fn run_dismantling(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: DismantleBaseJob = run.payload()?;
        let Some(row) = self.store().cloud_base_get(job.team_id, job.base_id).await? else { return Ok(Outcome::Done) };
        if row.state != CloudBaseState::Dismantling {
            return Ok(Outcome::Done);
        }
        let work = match self.work_in_region(run, (row.team_id, row.account_id), &row.region).await.map_err(retry)? {
            Ok(work) => work,
            Err(Unusable(reason)) => return Ok(later(Wait { detail: reason, retry_after: UNUSABLE_PAUSE })),
        };
        let (Some(account), Some(base)) = (&work.cloud.account, Base::named(&row.base)) else { return Ok(Outcome::Done) };
        let scope = work.scope(&Unneeded, &Unneeded);
        match patiently(run, || account.dismantle(base, row.id, &scope)).await {
            Ok(Progress::Ready(())) => {}
            Ok(Progress::Pending(wait)) => return Ok(later(wait)),
            Err(error) => return self.give_way(&work.account, error).await,
        }
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        // Somebody may have deployed there meanwhile: then it is made anew.
        if tx.placement_count(row.team_id, row.account_id, &row.region).await? > 0 {
            let outputs = Outputs::new();
            tx.cloud_base_put(&CloudBase { state: CloudBaseState::Preparing, outputs, ..row.clone() }).await?;
            self.prepare(&mut tx, &row).await?;
        } else {
            tx.cloud_base_delete(row.team_id, row.id).await?;
        }
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    async fn end(&self, run: &JobAttempt, row: CloudBase) -> Result<Outcome, JobError> {
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        tx.cloud_base_put(&row).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    /// Turns an error while something is removed into another try, after the account is usable again.
    pub async fn give_way(&self, account: &domain::cloud::CloudAccount, error: CloudError) -> Result<Outcome, JobError> {
        if error.is_retryable() {
            return Err(JobError::Retry(jobs::handler::chain(&error)));
        }
        self.note_refusal(account, &error).await?;
        Ok(later(Wait { detail: error.message, retry_after: UNUSABLE_PAUSE }))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn retry(error: ServiceError) -> JobError {
    JobError::Retry(jobs::handler::chain(&error))
}

fn later(wait: Wait) -> Outcome {
    Outcome::Later(Later { after: wait.retry_after, holds: true, waits_for: wait.detail })
}

fn base_title(base: Base) -> &'static str {
    match base {
        Base::Apis => "the APIs of the account",
        Base::Front => "what all sites of the account share",
        Base::Files => "a place for files",
        Base::Containers => "a place for containers",
    }
}
