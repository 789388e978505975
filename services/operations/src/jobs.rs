//! Looking after jobs and queues: what waits, what failed, what is to be tried again.

use domain::access::{Actor, Permission};
use domain::id::JobId;
use domain::job::{DueJob, Job, JobState};
use domain::time::now;
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record};
use services_core::{Result, ServiceError, require};
use store::{JobFailure, JobFilter, Page};

use crate::Jobs;

impl Jobs {
    /// A page of the team's jobs, newest first.
    pub async fn list(&self, actor: &Actor, filter: &JobFilter, after: Option<JobId>, limit: i64) -> Result<Page<Job>> {
        require(actor, Permission::ProjectRead)?;
        Ok(self.store().job_list(actor.team_id, filter, after, limit).await?)
    }

    /// One of the team's jobs.
    pub async fn get(&self, actor: &Actor, id: JobId) -> Result<Job> {
        require(actor, Permission::ProjectRead)?;
        self.store().job_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("job"))
    }

    /// Returns the failures of a job's attempts.
    pub async fn failures(&self, actor: &Actor, id: JobId) -> Result<Vec<JobFailure>> {
        require(actor, Permission::ProjectRead)?;
        Ok(self.store().job_failure_list(actor.team_id, id).await?)
    }

    /// Gives a dead job all its attempts again, from now on.
    pub async fn retry(&self, actor: &Actor, id: JobId) -> Result<Job> {
        let entry = AuditEntry::new(Action::JobRetry).on("job", id);
        self.audit_denial(actor, &entry, require(actor, Permission::JobWrite)).await?;
        let Job { kind, state, queue, priority, .. } = self.get(actor, id).await?;
        let mut tx = self.begin().await?;
        if !tx.job_retry(actor.team_id, id, now()).await? {
            return Err(self.not_in_state(actor, id, "only dead jobs can be tried again").await);
        }
        let entry = entry.named(kind).before(json!({"state": logged(state)}));
        record(&mut tx, actor, entry.after(json!({"state": logged(JobState::Pending)}))).await?;
        tx.wake(queue, DueJob { id, team_id: actor.team_id, priority });
        tx.commit().await?;
        self.get(actor, id).await
    }

    /// Cancels a job that waits, or takes a dead one out of the dead set.
    pub async fn discard(&self, actor: &Actor, id: JobId) -> Result<Job> {
        let entry = AuditEntry::new(Action::JobDiscard).on("job", id);
        self.audit_denial(actor, &entry, require(actor, Permission::JobWrite)).await?;
        let Job { kind, state, .. } = self.get(actor, id).await?;
        let mut tx = self.begin().await?;
        if !tx.job_discard(actor.team_id, id).await? {
            return Err(self.not_in_state(actor, id, "only jobs that wait or are dead can be discarded").await);
        }
        let entry = entry.named(kind).before(json!({"state": logged(state)}));
        record(&mut tx, actor, entry.after(json!({"state": logged(JobState::Cancelled)}))).await?;
        tx.commit().await?;
        self.get(actor, id).await
    }

    async fn not_in_state(&self, actor: &Actor, id: JobId, rule: &str) -> ServiceError {
        match self.get(actor, id).await {
            Ok(job) => {
                let state = logged(job.state);
                ServiceError::invalid("jobId", "WRONG_STATE", format!("this job is {state}: {rule}"))
            }
            Err(error) => error,
        }
    }
}

/// Returns the name of a state in the audit log and in messages.
fn logged(state: JobState) -> String {
    format!("{state:?}").to_lowercase()
}
