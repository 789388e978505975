//! Previews of pull requests: made, renewed, and removed with all that belongs to them.

use chrono::TimeDelta;
use domain::access::{Actor, Permission, Target};
use domain::environment::Environment;
use domain::git_host::{GitConnection, Preview, PullRequest, WebhookDelivery, WebhookDeliveryState};
use domain::id::{PreviewId, ProjectId, VariableId};
use domain::project::Project;
use domain::time::now;
use jobs::JobAttempt;
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record, record_own};
use services_core::environments::{check_kept, new_environment, parse_environment};
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError, require_on};
use store::{SealedVariable, Tx, WebhookDeliveryOutcome};

use super::react::Reaction;
use super::trigger::check_latest;
use crate::GitConnections;
use crate::deployments::transitions;
use crate::environments::begin_deletion;

/// The environment whose variables new previews begin with.
const TEMPLATE: &str = "preview";
/// Retention of the record which comment reported a preview that was removed.
pub const KEEP_PREVIEWS: TimeDelta = TimeDelta::days(90);

impl GitConnections {
    /// The previews of a project that are there, the latest first.
    pub async fn previews(&self, actor: &Actor, project: ProjectId) -> Result<Vec<Preview>> {
        require_on(actor, Permission::ProjectRead, Target::Project(project), "project")?;
        Ok(self.store().preview_list(actor.team_id, project).await?)
    }

    /// The preview of a pull request with its environment, made if it is not there; it stays for its time from now on.
    pub(super) async fn open_preview(
        &self,
        run: &JobAttempt,
        (connection, delivery): (&GitConnection, &WebhookDelivery),
        actor: &Actor,
        request: &PullRequest,
    ) -> Result<Preview> {
        let name = parse_environment(Some(&connection.host.preview_environment(request.number)))?;
        self.require_environment(actor, Permission::DeploymentWrite, connection.project_id, &name).await?;
        self.check_room_for(actor, connection.project_id, &name).await?;
        let variables = self.template_variables(connection).await?;
        let mut tx = self.begin().await?;
        let project = tx.project_lock(connection.team_id, connection.project_id).await?;
        let project = project.filter(|project| project.deleting_at.is_none()).ok_or(ServiceError::NotFound("project"))?;
        check_latest(&mut tx, run.fence, connection.team_id, delivery.id).await?;
        let known = tx.preview_find(connection.team_id, connection.id, request.number).await?;
        let found = tx.environment_find(connection.team_id, project.id, name.as_str()).await?;
        let environment = match found {
            Some(found) => {
                check_kept(&found)?;
                if known.as_ref().is_none_or(|preview| preview.environment_id != Some(found.id)) {
                    let message =
                        format!("the environment `{name}` is there and is no preview: delete it, or switch previews off");
                    return Err(ServiceError::invalid("environment", "NO_PREVIEW", message));
                }
                found
            }
            None => make_environment(&mut tx, &project, new_environment(&project, name), &variables).await?,
        };
        let preview = Preview {
            id: known.as_ref().map_or_else(PreviewId::new, |preview| preview.id),
            team_id: connection.team_id,
            project_id: project.id,
            connection_id: connection.id,
            environment_id: Some(environment.id),
            number: request.number,
            title: request.title.clone(),
            author: request.author.clone(),
            branch: request.branch.clone(),
            commit_sha: request.commit.as_str().to_owned(),
            is_fork: request.is_fork,
            comment_id: known.and_then(|preview| preview.comment_id),
            closed_because: None,
            expires_at: now() + TimeDelta::hours(connection.preview_hours),
            created_at: now(),
        };
        tx.preview_put(&preview).await?;
        tx.commit().await?;
        Ok(preview)
    }

    /// The variables of the environment that previews begin with, sealed anew for rows of their own.
    async fn template_variables(&self, connection: &GitConnection) -> Result<Vec<SealedVariable>> {
        let (team, sealer) = (connection.team_id, self.sealer());
        let template = self.store().environment_by_name(team, connection.project_id, TEMPLATE).await?;
        let Some(template) = template else { return Ok(Vec::new()) };
        let mut copies = Vec::new();
        for variable in self.store().variable_values(team, template.id, template.config_version).await? {
            let value = sealer.open(self.store(), team, &variable.id.to_string(), &variable.sealed).await?;
            let id = VariableId::new();
            let body = sealer.seal(self.store(), team, &id.to_string(), &value).await?;
            copies.push(SealedVariable { id, name: variable.name, sealed: body });
        }
        Ok(copies)
    }

    /// Removes the preview of a pull request that was closed.
    pub(super) async fn close_preview(
        &self,
        run: &JobAttempt,
        (connection, delivery): (&GitConnection, &WebhookDelivery),
        actor: &Actor,
        request: &PullRequest,
    ) -> Result<Reaction> {
        let noun = connection.host.request_noun();
        let mut tx = self.begin().await?;
        tx.project_lock(connection.team_id, connection.project_id).await?;
        check_latest(&mut tx, run.fence, connection.team_id, delivery.id).await?;
        let known = tx.preview_find(connection.team_id, connection.id, request.number).await?;
        let open = known.filter(|preview| preview.closed_because.is_none());
        let outcome = match &open {
            Some(_) => format!("the preview of {noun} {} is removed", request.number),
            None => format!("{noun} {} had no preview", request.number),
        };
        let outcome = WebhookDeliveryOutcome { state: WebhookDeliveryState::Done, outcome, deployment_id: None };
        tx.git_delivery_end(connection.team_id, delivery.id, &outcome).await?;
        tx.job_finish(run.fence).await?;
        if let Some(preview) = open {
            let because = format!("the {noun} was closed");
            begin_removal(&mut tx, &preview, &because).await?;
            record(&mut tx, actor, closing(connection, &preview, &because)).await?;
        }
        tx.commit().await?;
        Ok(Reaction::Recorded)
    }

    /// Removes previews whose time is over.
    pub async fn remove_expired_previews(&self) -> Result<()> {
        let expired = self.store().preview_list_expired(now()).await?;
        if expired.is_empty() {
            return Ok(());
        }
        let at = self.retention_time().await?;
        for preview in expired.into_iter().filter(|preview| preview.expires_at <= at) {
            let Some(connection) = self.store().git_connection_get(preview.team_id, preview.connection_id).await? else {
                continue;
            };
            let mut tx = self.begin().await?;
            tx.project_lock(preview.team_id, preview.project_id).await?;
            // New commits may have come meanwhile.
            let present = tx.preview_find(preview.team_id, preview.connection_id, preview.number).await?;
            let Some(present) = present.filter(|present| present.expires_at <= at && present.closed_because.is_none()) else {
                continue;
            };
            let because = format!("there were no new commits for {} hours", connection.preview_hours);
            begin_removal(&mut tx, &present, &because).await?;
            record_own(&mut tx, preview.team_id, closing(&connection, &present, &because)).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Begins the removal of all previews of a connection that is about to end. The project is locked.
    pub(super) async fn remove_previews(&self, tx: &mut UnitOfWork, connection: &GitConnection) -> Result<()> {
        for preview in self.store().preview_list(connection.team_id, connection.project_id).await? {
            if preview.connection_id == connection.id {
                begin_removal(tx, &preview, "the repository was disconnected").await?;
            }
        }
        Ok(())
    }
}

/// A new environment with its first variables.
async fn make_environment(
    tx: &mut Tx,
    project: &Project,
    environment: Environment,
    variables: &[SealedVariable],
) -> Result<Environment> {
    tx.environment_insert(&environment).await?;
    if variables.is_empty() {
        return Ok(environment);
    }
    let version = tx.environment_next_config(project.team_id, environment.id).await?;
    for variable in variables {
        tx.variable_insert(project.team_id, environment.id, variable, version).await?;
    }
    Ok(Environment { config_version: version, ..environment })
}

async fn begin_removal(tx: &mut UnitOfWork, preview: &Preview, because: &str) -> Result<()> {
    tx.preview_close(preview.team_id, preview.id, because).await?;
    if let Some(id) = preview.environment_id
        && let Some(environment) = tx.environment_find_by_id(preview.team_id, id).await?
    {
        begin_deletion(tx, &environment, because).await?;
    }
    transitions::update_preview_comment(tx, preview.team_id, preview.id).await?;
    Ok(())
}

/// Builds the audit log's entry of a preview that ends.
fn closing(connection: &GitConnection, preview: &Preview, because: &str) -> AuditEntry {
    AuditEntry::new(Action::PreviewClose)
        .on("preview", preview.id)
        .named(format!("{} {}", connection.repository, preview.number))
        .detail("project", json!({"id": preview.project_id}))
        .detail("because", because)
}
