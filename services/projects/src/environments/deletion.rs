//! Deleting an environment: everything it has in clouds first, then its rows.

use domain::access::{Actor, Permission, Target};
use domain::deployment::{DeploymentStatus, Failure};
use domain::environment::Environment;
use domain::id::ProjectId;
use jobs::payload::DeleteEnvironmentJob;
use jobs::{JobAttempt, JobError, Outcome};
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record};
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError, require_on, require_somewhere};

use crate::Environments;
use crate::deployments::{leave, transitions};

/// Begins the deletion of an environment within a transaction that holds the project's lock: cancels what moves there and writes the job
/// that removes the rest. `false` when it has begun already.
pub(crate) async fn begin_deletion(tx: &mut UnitOfWork, environment: &Environment, because: &str) -> Result<bool> {
    let (team_id, environment_id) = (environment.team_id, environment.id);
    if !tx.environment_mark_deleting(team_id, environment_id).await? {
        return Ok(false);
    }
    let moving = tx.deployment_list_moving(team_id, environment.project_id).await?;
    for deployment in moving.iter().filter(|deployment| deployment.environment_id == environment_id) {
        let failure = Failure::new("ENVIRONMENT_DELETED", because);
        transitions::end(tx, deployment, DeploymentStatus::Cancelled, failure).await?;
    }
    for schedule in tx.schedule_delete_of_environment(team_id, environment.project_id, environment.name.as_str()).await? {
        for kind in ["run_missed", "run_failed"] {
            tx.alert_resolve(kind, &schedule.to_string()).await?;
        }
    }
    tx.enqueue(&DeleteEnvironmentJob { version: 1, team_id, environment_id }).await?;
    Ok(true)
}

impl Environments {
    /// Deletes an environment with its variables, schedules and deployments: a job removes all it has in clouds, then its rows. Asking
    /// twice is no error. Production stays for as long as its project.
    pub async fn delete(&self, actor: &Actor, project: ProjectId, name: &str) -> Result<Environment> {
        let entry = AuditEntry::new(Action::EnvironmentDelete).on("project", project).detail("environment", name);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::ProjectDelete)).await?;
        let environment = self.by_name(actor, project, Some(name)).await?;
        let allowed = require_on(actor, Permission::ProjectDelete, Target::from(&environment), "environment");
        self.audit_denial(actor, &entry, allowed).await?;
        if environment.name.is_production() {
            let message = "`production` stays for as long as its project: delete the project, or another environment";
            return Err(ServiceError::invalid("environment", "PRODUCTION", message));
        }
        let mut tx = self.begin().await?;
        let project = tx.project_lock(actor.team_id, project).await?.ok_or(ServiceError::NotFound("project"))?;
        if begin_deletion(&mut tx, &environment, "the environment is being deleted").await? {
            if let Some(preview) = tx.preview_of_environment(actor.team_id, environment.id).await? {
                tx.preview_close(actor.team_id, preview.id, "somebody deleted its environment").await?;
            }
            record(&mut tx, actor, entry.named(&project.name).before(json!({"protected": environment.protected}))).await?;
        }
        tx.commit().await?;
        self.store().environment_get(actor.team_id, environment.id).await?.ok_or(ServiceError::NotFound("environment"))
    }

    /// The work of a [`DeleteEnvironmentJob`].
    pub async fn run_deletion(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: DeleteEnvironmentJob = run.payload()?;
        let (team, id) = (job.team_id, job.environment_id);
        for resource in self.store().resource_list_of_environment(team, id).await? {
            if run.stop.is_cancelled() {
                return Err(JobError::Stopped);
            }
            self.projects().remove_resource(run, &resource).await?;
        }
        self.git().tell_last(run, team, id).await?;
        let removed = self.logs().remove_of_environment(team, id).await;
        removed.map_err(|error| JobError::Retry(jobs::handler::chain(&error)))?;
        let mut tx = self.begin().await?;
        if let Some(environment) = tx.environment_find_by_id(team, id).await? {
            tx.project_lock(team, environment.project_id).await?;
        }
        tx.job_fence(run.fence).await?;
        for placement in tx.placement_list(team, id).await? {
            leave(&mut tx, &placement).await?;
        }
        let preview = tx.preview_of_environment(team, id).await?;
        tx.environment_delete(team, id).await?;
        if let Some(preview) = preview {
            transitions::update_preview_comment(&mut tx, team, preview.id).await?;
        }
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        self.artifacts().remove_unused().await.map_err(|error| JobError::Retry(error.to_string()))?;
        Ok(Outcome::Recorded)
    }
}
