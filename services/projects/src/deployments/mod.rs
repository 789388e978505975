//! Deployments: what people ask for, and the work that follows.

mod approvals;
mod build;
mod changes;

mod leave;
mod occasion;
mod release;
mod release_to;
mod requests;
mod resolve;
mod retire;
mod source;
pub mod transitions;
mod workspace;

use clouds_contract::CloudError;
use domain::access::{Actor, Permission, Target};
use domain::cloud::PlaceDetails;
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::id::{DeploymentId, EnvironmentId, ProjectId};
use domain::project::Project;
use domain::time::Timestamp;
use jobs::payload::{BuildJob, Payload as _};
use services_core::audit::AuditEntry;
use services_core::error::is_disk_full;
use services_core::{Result, ServiceError, require_on, require_somewhere};
use store::Page;

use crate::Deployments;

pub(crate) use leave::leave;
pub(crate) use occasion::Occasion;
pub use requests::{Trigger, TriggerSource};

/// Deadlines of the phases, after which the deployment fails.
mod deadlines {
    use chrono::Duration;

    pub const QUEUED: Duration = Duration::hours(2);
    pub const BUILDING: Duration = Duration::minutes(40);
    pub const RELEASING: Duration = Duration::minutes(10);
}

/// Unsuccessful outcome of a phase's work.
enum PhaseError {
    /// The deployment fails with this.
    Failed(Failure),
    /// A newer deployment made it needless: nothing is wrong with it.
    Overtaken(Failure),
    /// The work can be tried again, or has to stop.
    Job(jobs::JobError),
}

impl From<store::StoreError> for PhaseError {
    fn from(error: store::StoreError) -> Self {
        Self::Job(error.into())
    }
}

impl From<jobs::JobError> for PhaseError {
    fn from(error: jobs::JobError) -> Self {
        Self::Job(error)
    }
}

impl From<ServiceError> for PhaseError {
    fn from(error: ServiceError) -> Self {
        Self::Job(jobs::JobError::Retry(jobs::handler::chain(&error)))
    }
}

impl From<&artifacts::ArtifactError> for PhaseError {
    fn from(error: &artifacts::ArtifactError) -> Self {
        if error.is_retryable() && !is_disk_full(error) {
            return Self::Job(jobs::JobError::Retry(jobs::handler::chain(error)));
        }
        Self::Failed(failure(error.code(), error))
    }
}

impl From<CloudError> for PhaseError {
    fn from(error: CloudError) -> Self {
        use clouds_contract::ErrorKind;
        match error.kind {
            ErrorKind::Cancelled => Self::Job(jobs::JobError::Stopped),
            _ if error.is_retryable() => Self::Job(jobs::JobError::Retry(jobs::handler::chain(&error))),
            _ => Self::Failed(Failure::new(error.code, error.message)),
        }
    }
}

/// The failure of a deployment for this reason. What is at fault when the disk is full is not the source and not the build.
fn failure(code: &'static str, error: &(dyn std::error::Error + 'static)) -> Failure {
    if is_disk_full(error) {
        return Failure::new("DISK_FULL", "the server's disk is full: free some space in its data directory and deploy again");
    }
    Failure::new(code, error.to_string())
}

/// Adds the audit log's details of a deployment, besides the action on it.
fn logged(entry: AuditEntry, project: &Project, deployment: &Deployment) -> AuditEntry {
    entry.named(format!("{} #{}", project.name, deployment.number)).in_project(project.id, &project.name)
}

fn in_time(phase: chrono::Duration) -> Timestamp {
    domain::time::now() + phase
}

impl Deployments {
    /// A deployment.
    pub async fn get(&self, actor: &Actor, id: DeploymentId) -> Result<Deployment> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let deployment = self.store().deployment_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("deployment"))?;
        require_on(actor, Permission::ProjectRead, (&deployment).into(), "deployment")?;
        Ok(deployment)
    }

    /// Those of these deployments that the team has and the actor may see, in no particular order.
    pub async fn get_many(&self, actor: &Actor, ids: &[DeploymentId]) -> Result<Vec<Deployment>> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let mut found = self.store().deployment_get_many(actor.team_id, ids).await?;
        found.retain(|deployment| actor.may(Permission::ProjectRead, deployment.into()));
        Ok(found)
    }

    /// A page of a project's deployments, newest first.
    pub async fn list(
        &self,
        actor: &Actor,
        project: ProjectId,
        environment: Option<EnvironmentId>,
        after: Option<DeploymentId>,
        limit: i64,
    ) -> Result<Page<Deployment>> {
        let target = environment.map_or(Target::Project(project), |id| Target::Environment(project, id));
        require_on(actor, Permission::ProjectRead, target, "project")?;
        Ok(self.store().deployment_list(actor.team_id, project, environment, after, limit).await?)
    }

    /// Returns the number of a project's deployments.
    pub async fn count(&self, actor: &Actor, project: ProjectId) -> Result<i64> {
        require_on(actor, Permission::ProjectRead, Target::Project(project), "project")?;
        Ok(self.store().deployment_count(actor.team_id, project).await?)
    }

    /// Returns the number of builds, of all teams, that come before a deployment's own. `None` unless it waits for its build.
    pub async fn builds_before(&self, deployment: &Deployment) -> Result<Option<i64>> {
        if deployment.status != DeploymentStatus::Queued {
            return Ok(None);
        }
        Ok(self.store().job_count_before(deployment.team_id, deployment.id.uuid(), BuildJob::KIND).await?)
    }

    /// The address that shows this deployment alone, for as long as its resources are kept; some places have none.
    pub fn url(&self, project: &Project, deployment: &Deployment, place: Option<&PlaceDetails>) -> Result<Option<String>> {
        match place {
            Some(place) => Ok(place.url.clone()),
            None => Ok(Some(self.host_labels()?.url(&deployment.label(&project.name)))),
        }
    }
}
