//! Requests of users: trigger, promote, roll back, cancel.

use domain::access::{Actor, Permission, Role};
use domain::artifact::Digest;
use domain::deployment::{Cause, Deployment, DeploymentStatus, Failure};
use domain::environment::Environment;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::project::Project;
use domain::source::Source;
use domain::time::now;
use serde_json::json;
use services_clouds::Place;
use services_core::audit::{Action, AuditEntry, record};
use services_core::environments::{find_or_insert, parse_environment};
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError, require_on, require_somewhere};
use store::Tx;

use super::approvals::{Request, first_job, wait_for_approval};
use super::occasion::{Occasion, Requested};
use super::{deadlines, in_time, logged, transitions};
use crate::Deployments;
use crate::project::{parse_directory, parse_reference, parse_repository};

/// Parameters of a triggered deployment.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The project to deploy.
    pub project: ProjectId,
    /// The environment to deploy to; production when absent, made when the project has none of that name.
    pub environment: Option<String>,
    /// The cloud to deploy to, such as `gcp`, or one of its accounts, such as `gcp:backup`. When absent, the project file's, the one where
    /// the environment is, or `local`.
    pub cloud: Option<String>,
    /// The region there, in our neutral words or the vendor's; the account's own when absent.
    pub region: Option<String>,
    /// Source to build.
    pub source: TriggerSource,
    /// Directory of the project within the source; the one that the project file at its root names, or the root, when absent.
    pub directory: Option<String>,
}

/// Source to build.
#[derive(Debug, Clone)]
pub enum TriggerSource {
    /// A repository; what is absent is the project's own.
    Git {
        /// The repository's address.
        repository: Option<String>,
        /// Branch, tag or commit.
        reference: Option<String>,
    },
    /// A directory that was uploaded, by the digest the upload answered with.
    Upload {
        /// The digest.
        digest: String,
    },
}

/// Place that a request names.
enum Chosen {
    /// This one; `None` is one's own machines.
    Place(Option<Place>),
    /// It names none.
    Nothing,
}

/// Origin of the artifact and the configuration of a deployment without a build.
struct Origin<'a> {
    project: &'a Project,
    deployment: &'a Deployment,
    cause: Cause,
    config_version: i64,
}

impl Deployments {
    /// Deploys a source. Returns the queued deployment; older queued ones of the same environment are cancelled for it.
    pub async fn trigger(&self, actor: &Actor, input: Trigger) -> Result<Deployment> {
        self.trigger_for(actor, input, &Requested).await
    }

    /// The same on an occasion, which is recorded with it.
    pub(crate) async fn trigger_for(&self, actor: &Actor, input: Trigger, occasion: &dyn Occasion) -> Result<Deployment> {
        let name = parse_environment(input.environment.as_deref())?;
        let entry = AuditEntry::new(Action::DeploymentTrigger);
        let allowed = self.require_environment(actor, Permission::DeploymentWrite, input.project, &name).await;
        self.audit_denial(actor, &entry.clone().on("project", input.project), allowed).await?;
        let chosen = self.choose_place(actor.team_id, input.cloud.as_deref(), input.region.as_deref()).await?;
        let project = self.store().project_get(actor.team_id, input.project).await?.ok_or(ServiceError::NotFound("project"))?;
        let source = self.resolve_source(actor, &project, input.source, input.directory.as_deref()).await?;
        self.check_room_for(actor, project.id, &name).await?;
        let mut tx = self.begin().await?;
        let project = lock(&mut tx, actor, project.id).await?;
        occasion.check(&mut tx).await?;
        let environment = find_or_insert(&mut tx, &project, &name).await?;
        supersede_queued(&mut tx, &environment).await?;
        let mut deployment = blank(&mut tx, actor, &environment, source).await?;
        deployment.config_version = environment.config_version;
        deployment.commit_sha = occasion.commit().map(|commit| commit.as_str().to_owned());
        deployment.wanted_cloud = input.cloud;
        let place = match chosen {
            Chosen::Place(place) => place,
            Chosen::Nothing => self.placements().of_environment(&mut tx, &environment).await?,
        };
        let outside = occasion.author();
        self.go_to(&mut tx, (&project, &environment), deployment.id, place.as_ref()).await?;
        begin(&mut tx, actor, &environment, deployment.clone(), Request { message: "queued", outside }).await?;
        occasion.record(&mut tx, &deployment, &environment).await?;
        record(&mut tx, actor, asked_for(entry, &project, &environment, &deployment, outside)).await?;
        tx.commit().await?;
        self.written(actor, deployment.id).await
    }

    /// Makes the artifact of a deployment live in an environment (production when none is named), with that environment's variables.
    pub async fn promote(&self, actor: &Actor, id: DeploymentId, environment: Option<&str>) -> Result<Deployment> {
        let name = parse_environment(environment)?;
        let entry = AuditEntry::new(Action::DeploymentPromote).on("deployment", id);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::DeploymentWrite)).await?;
        let origin = self.reusable(actor, id, "deploymentId").await?;
        let allowed = self.require_environment(actor, Permission::DeploymentWrite, origin.project_id, &name).await;
        self.audit_denial(actor, &entry, allowed).await?;
        let mut tx = self.begin().await?;
        let project = lock(&mut tx, actor, origin.project_id).await?;
        let environment = find_or_insert(&mut tx, &project, &name).await?;
        let config_version = environment.config_version;
        let origin = Origin { project: &project, deployment: &origin, cause: Cause::Promotion, config_version };
        let deployment = self.reuse(tx, actor, &environment, origin).await?;
        self.written(actor, deployment).await
    }

    /// Brings back what an environment (production when none is named) showed before: artifact, configuration and secrets of one of
    /// its earlier deployments, by default the last one. Nothing is rebuilt.
    pub async fn rollback(
        &self,
        actor: &Actor,
        project: ProjectId,
        environment: Option<&str>,
        to: Option<DeploymentId>,
    ) -> Result<Deployment> {
        let entry = AuditEntry::new(Action::DeploymentRollback).on("project", project);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::DeploymentWrite)).await?;
        let environment = self.environments().by_name(actor, project, environment).await?;
        let allowed = require_on(actor, Permission::DeploymentWrite, (&environment).into(), "environment");
        self.audit_denial(actor, &entry, allowed).await?;
        let origin = match to {
            Some(id) => self.reusable(actor, id, "toDeploymentId").await?,
            None => self.store().deployment_previous(actor.team_id, environment.id).await?.ok_or_else(|| {
                let message = format!(
                    "`{}` has shown no other deployment before this one: there is nothing to go back to",
                    environment.name
                );
                ServiceError::invalid("toDeploymentId", "NOTHING_TO_ROLL_BACK_TO", message)
            })?,
        };
        check_rollback(&environment, &origin)?;
        let mut tx = self.begin().await?;
        let project = lock(&mut tx, actor, project).await?;
        // Read anew, now that nobody can protect it meanwhile.
        let environment = find_or_insert(&mut tx, &project, &environment.name).await?;
        let config_version = origin.config_version;
        let origin = Origin { project: &project, deployment: &origin, cause: Cause::Rollback, config_version };
        let deployment = self.reuse(tx, actor, &environment, origin).await?;
        self.written(actor, deployment).await
    }

    /// Cancels a deployment: a build is killed, what was started is stopped. Cancelling what is cancelled is no error.
    pub async fn cancel(&self, actor: &Actor, id: DeploymentId) -> Result<Deployment> {
        let entry = AuditEntry::new(Action::DeploymentCancel).on("deployment", id);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::DeploymentWrite)).await?;
        let deployment = self.get(actor, id).await?;
        let allowed = require_on(actor, Permission::DeploymentWrite, (&deployment).into(), "deployment");
        self.audit_denial(actor, &entry, allowed).await?;
        let mut tx = self.begin().await?;
        let project = tx.project_lock(actor.team_id, deployment.project_id).await?.ok_or(ServiceError::NotFound("project"))?;
        let deployment = tx.deployment_find(actor.team_id, id).await?.ok_or(ServiceError::NotFound("deployment"))?;
        let too_late = |message: &str| Err(ServiceError::invalid("deploymentId", "TOO_LATE", message));
        match deployment.status {
            DeploymentStatus::Cancelled => return Ok(deployment),
            status if !status.is_moving() => {
                return too_late(&format!(
                    "the deployment is {} already: use rollback to bring back an earlier one",
                    status.name()
                ));
            }
            _ if tx.deployment_is_switching(actor.team_id, id).await? => {
                return too_late("the deployment is being switched to at this moment: use rollback once it is live");
            }
            _ => {}
        }
        let failure = Failure::new("CANCELLED", "cancelled on request");
        transitions::end(&mut tx, &deployment, DeploymentStatus::Cancelled, failure).await?;
        let entry = logged(entry, &project, &deployment).before(json!({"status": deployment.status.name()}));
        record(&mut tx, actor, entry.after(json!({"status": DeploymentStatus::Cancelled.name()}))).await?;
        tx.commit().await?;
        self.get(actor, id).await
    }

    /// The deployment that the actor just made, which it may be told of without the right to look at others.
    async fn written(&self, actor: &Actor, id: DeploymentId) -> Result<Deployment> {
        self.store().deployment_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("deployment"))
    }

    /// The place that a request names.
    async fn choose_place(&self, team: TeamId, cloud: Option<&str>, region: Option<&str>) -> Result<Chosen> {
        match cloud {
            Some(cloud) => Ok(Chosen::Place(self.placements().choose(team, cloud, region).await?)),
            None if region.is_some() => {
                let message = "a region is a cloud's: name the cloud, too, such as `gcp`";
                Err(ServiceError::invalid("region", "NO_CLOUD", message))
            }
            None => Ok(Chosen::Nothing),
        }
    }

    /// Sends a deployment to a place, within the transaction that writes it; to one's own machines without one.
    pub(super) async fn go_to(
        &self,
        tx: &mut UnitOfWork,
        (project, environment): (&Project, &Environment),
        deployment: DeploymentId,
        place: Option<&Place>,
    ) -> Result<()> {
        if let Some(place) = place {
            self.placements().send(tx, (&project.name, environment), deployment, place).await?;
        }
        Ok(())
    }

    async fn resolve_source(
        &self,
        actor: &Actor,
        project: &Project,
        source: TriggerSource,
        directory: Option<&str>,
    ) -> Result<Source> {
        let directory = directory.filter(|text| !matches!(*text, "" | "." | "./")).map(parse_directory).transpose()?;
        match source {
            TriggerSource::Upload { digest } => {
                let unknown =
                    || ServiceError::invalid("upload", "UNKNOWN_UPLOAD", "there is no such upload: upload the directory first");
                let digest: Digest = digest.parse().map_err(|_| unknown())?;
                if !self.store().upload_exists(actor.team_id, &digest).await? {
                    return Err(unknown());
                }
                Ok(Source::Upload { digest, directory })
            }
            TriggerSource::Git { repository, reference } => {
                let own = repository.is_none();
                let repository = repository.or_else(|| project.repository.clone()).ok_or_else(|| {
                    let message = "name a repository, upload a directory, or set the project's repository once";
                    ServiceError::invalid("repository", "NO_SOURCE", message)
                })?;
                // The project's branch belongs to the project's repository.
                let reference = reference.or_else(|| own.then(|| project.reference.clone()).flatten());
                let repository = parse_repository(&repository)?;
                if repository.local_path().is_some() && !actor.rights.has_role(&[Role::Owner, Role::Admin]) {
                    // What the server's user can read is not the team's: paths are for those who run the machine.
                    let message = "only owners and admins deploy from a path on the server's machine: use https or ssh, or upload the directory";
                    return Err(ServiceError::invalid("repository", "LOCAL_PATH", message));
                }
                Ok(Source::Git { repository, reference: reference.as_deref().map(parse_reference).transpose()?, directory })
            }
        }
    }

    /// A deployment whose artifact can be used again.
    async fn reusable(&self, actor: &Actor, id: DeploymentId, field: &'static str) -> Result<Deployment> {
        let deployment = self.get(actor, id).await?;
        if deployment.artifact_digest.is_none() || deployment.workload.is_none() {
            let message =
                format!("the deployment is {} and has no artifact: choose one that was built", deployment.status.name());
            return Err(ServiceError::invalid(field, "NOT_BUILT", message));
        }
        if deployment.artifact_removed_at.is_some() {
            return Err(artifact_removed(field, &deployment));
        }
        Ok(deployment)
    }

    /// Place of a deployment that uses another's artifact: a rollback goes where its origin was, a promotion where its environment is, or
    /// else where its origin was.
    async fn place_of_reused(
        &self,
        tx: &mut UnitOfWork,
        environment: &Environment,
        origin: &Origin<'_>,
    ) -> Result<Option<Place>> {
        if origin.cause == Cause::Promotion
            && let Some(place) = self.placements().of_environment(tx, environment).await?
        {
            return Ok(Some(place));
        }
        self.placements().of_origin(tx, environment.team_id, origin.deployment.id).await
    }

    /// Writes a deployment that uses another's artifact, and commits.
    async fn reuse(
        &self,
        mut tx: UnitOfWork,
        actor: &Actor,
        environment: &Environment,
        origin: Origin<'_>,
    ) -> Result<DeploymentId> {
        if !tx.artifact_hold(actor.team_id, origin.deployment.id).await? {
            let field = if origin.cause == Cause::Rollback { "toDeploymentId" } else { "deploymentId" };
            return Err(artifact_removed(field, origin.deployment));
        }
        supersede_queued(&mut tx, environment).await?;
        let mut deployment = blank(&mut tx, actor, environment, origin.deployment.source.clone()).await?;
        deployment.trigger = origin.cause;
        deployment.origin_id = Some(origin.deployment.id);
        deployment.commit_sha.clone_from(&origin.deployment.commit_sha);
        deployment.artifact_digest.clone_from(&origin.deployment.artifact_digest);
        deployment.workload.clone_from(&origin.deployment.workload);
        deployment.config_version = origin.config_version;
        let what = if origin.cause == Cause::Rollback { "roll back to" } else { "promote" };
        let message = format!("queued to {what} deployment {} (number {})", origin.deployment.id, origin.deployment.number);
        deployment.wanted_cloud.clone_from(&origin.deployment.wanted_cloud);
        let id = deployment.id;
        let place = self.place_of_reused(&mut tx, environment, &origin).await?;
        self.go_to(&mut tx, (origin.project, environment), id, place.as_ref()).await?;
        let action = if origin.cause == Cause::Rollback { Action::DeploymentRollback } else { Action::DeploymentPromote };
        let entry = asked_for(AuditEntry::new(action), origin.project, environment, &deployment, None);
        begin(&mut tx, actor, environment, deployment, Request { message: &message, outside: None }).await?;
        record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        Ok(id)
    }
}

/// Builds the audit log's entry of a deployment that was requested.
fn asked_for(
    entry: AuditEntry,
    project: &Project,
    environment: &Environment,
    deployment: &Deployment,
    outside: Option<&str>,
) -> AuditEntry {
    logged(entry.on("deployment", deployment.id), project, deployment).after(json!({
        "environment": environment.name.as_str(),
        "source": deployment.source,
        "origin": deployment.origin_id,
        "commit": deployment.commit_sha,
        "needsApproval": environment.protected || outside.is_some(),
        "author": outside,
    }))
}

fn artifact_removed(field: &'static str, deployment: &Deployment) -> ServiceError {
    let what = deployment.commit_sha.as_ref().map_or("its source".to_owned(), |commit| format!("its commit {commit}"));
    let message = format!(
        "the artifact of deployment number {} was removed to make room: deploy {what} again; more are kept when the server's \
         --artifact-budget-mib is raised",
        deployment.number
    );
    ServiceError::invalid(field, "ARTIFACT_REMOVED", message)
}

async fn lock(tx: &mut Tx, actor: &Actor, project: ProjectId) -> Result<Project> {
    let project = tx.project_lock(actor.team_id, project).await?.ok_or(ServiceError::NotFound("project"))?;
    if project.deleting_at.is_some() {
        return Err(ServiceError::invalid(
            "projectId",
            "BEING_DELETED",
            "the project is being deleted: create it anew once it is gone",
        ));
    }
    Ok(project)
}

fn check_rollback(environment: &Environment, origin: &Deployment) -> Result<()> {
    if origin.environment_id != environment.id {
        let message = "that deployment belongs to another environment: use promote to bring its artifact here";
        return Err(ServiceError::invalid("toDeploymentId", "OTHER_ENVIRONMENT", message));
    }
    if Some(origin.id) == environment.live_deployment_id {
        return Err(ServiceError::invalid(
            "toDeploymentId",
            "ALREADY_LIVE",
            "that deployment is live: there is nothing to go back to",
        ));
    }
    if origin.status != DeploymentStatus::Superseded {
        let message =
            format!("that deployment is {} and was never live: choose one that was, or use promote", origin.status.name());
        return Err(ServiceError::invalid("toDeploymentId", "NEVER_LIVE", message));
    }
    Ok(())
}

/// Cancels what still waits for the environment: a newer request is what its people want now.
async fn supersede_queued(tx: &mut UnitOfWork, environment: &Environment) -> Result<()> {
    for older in tx.deployment_list_queued(environment.team_id, environment.id).await? {
        let failure =
            Failure::new("SUPERSEDED", "a newer deployment of the same environment was asked for before this one began");
        transitions::end(tx, &older, DeploymentStatus::Cancelled, failure).await?;
    }
    Ok(())
}

/// A queued deployment with the project's next number.
async fn blank(tx: &mut Tx, actor: &Actor, environment: &Environment, source: Source) -> Result<Deployment> {
    let number = tx.project_next_deployment(actor.team_id, environment.project_id).await?;
    let at = now();
    let environment_id: EnvironmentId = environment.id;
    Ok(Deployment {
        id: DeploymentId::new(),
        team_id: actor.team_id,
        project_id: environment.project_id,
        environment_id,
        number,
        status: DeploymentStatus::Queued,
        trigger: Cause::Build,
        source,
        commit_sha: None,
        origin_id: None,
        artifact_digest: None,
        artifact_removed_at: None,
        workload: None,
        config_version: 0,
        failure: None,
        created_by: Some(actor.user_id),
        created_at: at,
        changed_at: at,
        deadline: None,
        event_count: 0,
        log_count: 0,
        address_name: None,
        wanted_cloud: None,
    })
}

/// Writes a queued deployment with its first job; to a protected environment, or from outside the team, with the approval that it waits for instead.
async fn begin(
    tx: &mut UnitOfWork,
    actor: &Actor,
    environment: &Environment,
    mut deployment: Deployment,
    request: Request<'_>,
) -> Result<()> {
    if environment.protected || request.outside.is_some() {
        return wait_for_approval(tx, actor, environment, deployment, request).await;
    }
    deployment.deadline = Some(in_time(deadlines::QUEUED));
    tx.deployment_insert(&deployment).await?;
    transitions::record_event(tx, &deployment, DeploymentStatus::Queued, request.message).await?;
    first_job(tx, &deployment).await
}
