//! Projects.

use std::time::Duration;

use clouds_contract::{CloudError, Scope};
use domain::access::{Actor, Permission, Target};
use domain::deployment::{DeploymentStatus, Failure};
use domain::id::{DeploymentId, ProjectId};
use domain::name::{EnvironmentName, ProjectName};
use domain::project::{Project, ProjectBrief};
use domain::resource::{Resource, ResourceKind};
use domain::source::{Directory, Reference, Repository};
use domain::time::{Timestamp, now};
use jobs::payload::DeleteProjectJob;
use jobs::{JobAttempt, JobError, Later, Outcome};
use serde_json::{Value, json};
use services_core::alerts::DISABLED_ALERT;
use services_core::audit::{Action, AuditEntry, record};
use services_core::environments::new_environment;
use services_core::{Result, ServiceError, require, require_on, require_somewhere};
use store::{Page, ProjectChange, StoreError, Tx};

use crate::Projects;
use crate::deployments::{leave, transitions};
use crate::protection::check_exposure;

/// Parameters of a new project.
#[derive(Debug, Clone, Default)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// The repository it is deployed from by default.
    pub repository: Option<String>,
    /// The branch, tag or commit used by default.
    pub reference: Option<String>,
}

/// Change of a project. `None` leaves a field as it is, an empty text clears it.
#[derive(Debug, Clone, Default)]
pub struct ProjectEdit {
    /// Its name.
    pub name: Option<String>,
    /// The repository it is deployed from by default.
    pub repository: Option<String>,
    /// The branch, tag or commit used by default.
    pub reference: Option<String>,
}

/// Refuses what was decided on by looking at an earlier state of a project, which is locked.
fn check_unchanged(project: &Project, seen: Option<Timestamp>) -> Result<()> {
    if seen.is_none_or(|seen| seen == project.updated_at) { Ok(()) } else { Err(ServiceError::Changed) }
}

pub(crate) fn parse_name(text: &str) -> Result<ProjectName> {
    text.parse().map_err(|error| ServiceError::invalid("name", "INVALID_NAME", error))
}

pub(crate) fn parse_repository(text: &str) -> Result<Repository> {
    text.parse().map_err(|error| ServiceError::invalid("repository", "INVALID_REPOSITORY", error))
}

pub(crate) fn parse_reference(text: &str) -> Result<Reference> {
    text.parse().map_err(|error| ServiceError::invalid("reference", "INVALID_REFERENCE", error))
}

pub(crate) fn parse_directory(text: &str) -> Result<Directory> {
    text.parse().map_err(|error| ServiceError::invalid("directory", "INVALID_DIRECTORY", error))
}

fn taken(error: StoreError, name: &ProjectName) -> ServiceError {
    match error {
        StoreError::Exists => {
            let message = format!("the name `{name}` is taken: project names are unique because they become host names");
            ServiceError::invalid("name", "TAKEN", message)
        }
        error => error.into(),
    }
}

/// Refuses a name under which another project is still shown.
async fn check_unrouted(tx: &mut Tx, project: &Project) -> Result<()> {
    if tx.project_name_is_routed(&project.name, project.id).await? {
        return Err(taken(StoreError::Exists, &project.name));
    }
    Ok(())
}

/// The projects that the actor may see where these are not all of the team's.
fn visible_projects(actor: &Actor) -> Result<Option<Vec<ProjectId>>> {
    if actor.may(Permission::ProjectRead, Target::Team) {
        return Ok(None);
    }
    require_somewhere(actor, Permission::ProjectRead)?;
    let granted = actor.targets().filter_map(Target::project).collect::<std::collections::BTreeSet<_>>();
    Ok(Some(granted.into_iter().filter(|id| actor.may(Permission::ProjectRead, Target::Project(*id))).collect()))
}

impl Projects {
    /// A page of the team's projects, newest first.
    pub async fn list(&self, actor: &Actor, after: Option<ProjectId>, limit: i64) -> Result<Page<Project>> {
        match visible_projects(actor)? {
            None => Ok(self.store().project_list(actor.team_id, after, limit).await?),
            Some(ids) => self.granted_projects(actor, &ids, after, limit).await,
        }
    }

    /// The same page, without what only a closer look shows.
    pub async fn briefs(&self, actor: &Actor, after: Option<ProjectId>, limit: i64) -> Result<Page<ProjectBrief>> {
        match visible_projects(actor)? {
            None => Ok(self.store().project_brief_list(actor.team_id, after, limit).await?),
            Some(ids) => {
                let Page { items, has_more } = self.granted_projects(actor, &ids, after, limit).await?;
                Ok(Page { items: items.iter().map(ProjectBrief::from).collect(), has_more })
            }
        }
    }

    /// Returns the number of the team's projects that the actor may see.
    pub async fn count(&self, actor: &Actor) -> Result<i64> {
        match visible_projects(actor)? {
            None => Ok(self.store().project_count(actor.team_id).await?),
            Some(ids) => {
                let found = self.store().project_get_many(actor.team_id, &ids).await?;
                Ok(i64::try_from(found.len()).unwrap_or(i64::MAX))
            }
        }
    }

    /// A page of those projects that were granted to the actor. A member has so few grants that they are sorted here.
    async fn granted_projects(
        &self,
        actor: &Actor,
        ids: &[ProjectId],
        after: Option<ProjectId>,
        limit: i64,
    ) -> Result<Page<Project>> {
        let mut items = self.store().project_get_many(actor.team_id, ids).await?;
        items.sort_by_key(|project| std::cmp::Reverse(project.id));
        items.retain(|project| after.is_none_or(|after| project.id < after));
        let limit = usize::try_from(limit).unwrap_or(0);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, has_more })
    }

    /// A project by id.
    pub async fn get(&self, actor: &Actor, id: ProjectId) -> Result<Project> {
        require_on(actor, Permission::ProjectRead, Target::Project(id), "project")?;
        self.store().project_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("project"))
    }

    /// A project by name.
    pub async fn by_name(&self, actor: &Actor, name: &str) -> Result<Project> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let project = self.store().project_by_name(actor.team_id, name).await?.ok_or(ServiceError::NotFound("project"))?;
        require_on(actor, Permission::ProjectRead, Target::Project(project.id), "project")?;
        Ok(project)
    }

    /// Those of these projects that the team has and the actor may see, in no particular order.
    pub async fn get_many(&self, actor: &Actor, ids: &[ProjectId]) -> Result<Vec<Project>> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let mut found = self.store().project_get_many(actor.team_id, ids).await?;
        found.retain(|project| actor.may(Permission::ProjectRead, Target::Project(project.id)));
        Ok(found)
    }

    /// Returns a project's resources in clouds.
    pub async fn resources(&self, actor: &Actor, project: ProjectId) -> Result<Vec<Resource>> {
        require_on(actor, Permission::ProjectRead, Target::Project(project), "project")?;
        Ok(self.store().resource_list(actor.team_id, project).await?)
    }

    /// Creates a project with its production environment.
    pub async fn create(&self, actor: &Actor, input: NewProject) -> Result<Project> {
        let change = AuditEntry::new(Action::ProjectCreate);
        self.audit_denial(actor, &change, require(actor, Permission::ProjectWrite)).await?;
        let name = parse_name(&input.name)?;
        let repository = input.repository.as_deref().map(parse_repository).transpose()?;
        let reference = input.reference.as_deref().map(parse_reference).transpose()?;
        let at = now();
        let project = Project {
            id: ProjectId::new(),
            team_id: actor.team_id,
            name,
            repository: repository.map(String::from),
            reference: reference.map(String::from),
            created_at: at,
            updated_at: at,
            deleting_at: None,
        };
        let mut tx = self.begin().await?;
        check_unrouted(&mut tx, &project).await?;
        tx.project_insert(&project).await.map_err(|error| taken(error, &project.name))?;
        tx.environment_insert(&new_environment(&project, EnvironmentName::production())).await?;
        let change = change.on("project", project.id).named(&project.name).after(logged(&project));
        record(&mut tx, actor, change).await?;
        tx.commit().await?;
        Ok(project)
    }

    /// Changes a project. `None` leaves a field, an empty text empties it. A new name is in the project's
    /// addresses at once; those of single deployments stay.
    /// Nothing is done when it was changed since `seen`, the time of its last change as the caller knows it.
    pub async fn update(&self, actor: &Actor, id: ProjectId, change: ProjectEdit, seen: Option<Timestamp>) -> Result<Project> {
        let ProjectEdit { name, repository, reference } = change;
        let entry = AuditEntry::new(Action::ProjectUpdate).on("project", id);
        self.audit_denial(actor, &entry, require_on(actor, Permission::ProjectWrite, Target::Project(id), "project")).await?;
        let name = name.as_deref().map(parse_name).transpose()?;
        let emptied = |text: &str| text.is_empty();
        let repository = match repository {
            Some(text) if emptied(&text) => Some(None),
            Some(text) => Some(Some(parse_repository(&text)?.into())),
            None => None,
        };
        let reference = match reference {
            Some(text) if emptied(&text) => Some(None),
            Some(text) => Some(Some(parse_reference(&text)?.into())),
            None => None,
        };
        let change = ProjectChange { name, repository, reference };
        let mut tx = self.begin().await?;
        let before = tx.project_lock(actor.team_id, id).await?.ok_or(ServiceError::NotFound("project"))?;
        check_unchanged(&before, seen)?;
        let updated = tx.project_update(actor.team_id, id, &change).await;
        let updated = updated.map_err(|error| match &change.name {
            Some(name) => taken(error, name),
            None => error.into(),
        })?;
        let project = updated.ok_or(ServiceError::NotFound("project"))?;
        let renamed = before.name != project.name;
        if renamed {
            let environments = self.store().environment_list(actor.team_id, &[id]).await?;
            // Whoever takes the old name then has the address that people know as the protected one's.
            if let Err(refused) = check_exposure(actor, &environments) {
                drop(tx);
                return self.audit_denial(actor, &entry, Err(refused)).await;
            }
            check_unrouted(&mut tx, &project).await?;
            tx.project_move_routes(actor.team_id, id, (&before.name, &project.name)).await?;
        }
        record(&mut tx, actor, entry.named(&before.name).between(logged(&before), logged(&project))).await?;
        if renamed {
            tx.publish(jobs::Topic::Edges);
        }
        tx.commit().await?;
        Ok(project)
    }

    /// Deletes a project: cancels what moves and lets a job remove all it has in clouds, then its rows. Asking twice is no error.
    /// Nothing is done when it was changed since `seen`, the time of its last change as the caller knows it.
    pub async fn delete(&self, actor: &Actor, id: ProjectId, seen: Option<Timestamp>) -> Result<Project> {
        let entry = AuditEntry::new(Action::ProjectDelete).on("project", id);
        self.audit_denial(actor, &entry, require_on(actor, Permission::ProjectDelete, Target::Project(id), "project")).await?;
        let mut tx = self.begin().await?;
        let project = tx.project_lock(actor.team_id, id).await?.ok_or(ServiceError::NotFound("project"))?;
        check_unchanged(&project, seen)?;
        if tx.project_mark_deleting(actor.team_id, id).await? {
            for deployment in tx.deployment_list_moving(actor.team_id, id).await? {
                let failure = Failure::new("PROJECT_DELETED", "the project is being deleted");
                transitions::end(&mut tx, &deployment, DeploymentStatus::Cancelled, failure).await?;
            }
            tx.enqueue(&DeleteProjectJob { version: 1, team_id: actor.team_id, project_id: id }).await?;
            record(&mut tx, actor, entry.named(&project.name).before(logged(&project))).await?;
        }
        tx.commit().await?;
        Ok(project)
    }

    /// The work of a [`DeleteProjectJob`]: everything in clouds first, then the rows.
    pub async fn run_deletion(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: DeleteProjectJob = run.payload()?;
        for resource in self.store().resource_list(job.team_id, job.project_id).await? {
            if run.stop.is_cancelled() {
                return Err(JobError::Stopped);
            }
            self.remove_resource(run, &resource).await?;
        }
        if let Some(waits_for) = self.leave_clouds(run, &job).await? {
            return Ok(Outcome::Later(Later { after: Duration::from_secs(2), holds: true, waits_for }));
        }
        for builder in self.clouds().filter_map(|cloud| cloud.builds.as_ref()) {
            builder.forget(job.project_id).await.map_err(|error| JobError::Retry(jobs::handler::chain(&error)))?;
        }
        self.logs()
            .remove_of_project(job.team_id, job.project_id)
            .await
            .map_err(|error| JobError::Retry(jobs::handler::chain(&error)))?;
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        for channel in tx.channel_list_of_project(job.team_id, job.project_id).await? {
            tx.alert_resolve(DISABLED_ALERT, &channel.to_string()).await?;
        }
        tx.project_delete(job.team_id, job.project_id).await?;
        tx.placement_forget(job.team_id).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        self.artifacts().remove_unused().await.map_err(|error| JobError::Retry(error.to_string()))?;
        Ok(Outcome::Recorded)
    }

    /// Leaves the vendors' clouds; says what is still there, if anything is.
    async fn leave_clouds(&self, run: &JobAttempt, job: &DeleteProjectJob) -> Result<Option<String>, JobError> {
        let placements = self.store().placement_list_of_project(job.team_id, job.project_id).await?;
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        for placement in &placements {
            leave(&mut tx, placement).await?;
        }
        tx.commit().await?;
        let places: Vec<_> = placements.iter().map(|placement| format!("{} in {}", placement.label, placement.cloud)).collect();
        Ok((!places.is_empty()).then(|| format!("everything of {} to be removed", places.join(", "))))
    }

    /// Removes one thing from its cloud, then from the inventory.
    pub(crate) async fn remove_resource(&self, run: &JobAttempt, resource: &Resource) -> Result<(), JobError> {
        let retry = |error: CloudError| JobError::Retry(format!("{} `{}`: {error}", resource.kind, resource.external_id));
        let cloud = self.cloud(&resource.cloud).map_err(|error| JobError::Retry(error.to_string()))?;
        match resource.kind {
            ResourceKind::Route => {
                let owner = (resource.team_id, resource.project_id);
                let labels = self.host_labels().map_err(|error| JobError::Retry(error.to_string()))?;
                labels.remove(owner, &resource.external_id).await.map_err(retry)?;
            }
            ResourceKind::Workload => {
                let id: DeploymentId = resource.external_id.parse().map_err(|error| JobError::Fail(format!("{error}")))?;
                // The local cloud, whose things these are, is done when it returns.
                cloud.delete(&Scope::local(resource.team_id, None), id).await.map_err(retry)?;
            }
        }
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        tx.resource_delete(resource).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Builds the audit log's details of a project.
fn logged(project: &Project) -> Value {
    json!({"name": project.name.to_string(), "repository": project.repository, "reference": project.reference})
}
