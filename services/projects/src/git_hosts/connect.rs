//! Connecting a project's repository at its Git host.

use domain::access::{Actor, Permission, Target};
use domain::git_host::{BranchRule, GitConnection, GitHost, WebhookDelivery};
use domain::id::{GitConnectionId, GitDeliveryId, ProjectId};
use domain::project::Project;
use domain::secret::Secret;
use domain::time::now;
use serde_json::{Value, json};
use services_core::audit::{Action, AuditEntry, record};
use services_core::environments::parse_environment;
use services_core::{Result, ServiceError, require_on, require_somewhere};
use services_identity::auth::random_token;
use store::{GitConnectionChange, GitSecrets, Page, StoreError};

use super::api::{HostApi, HostError};
use super::{secret_identity, token_identity};
use crate::GitConnections;
use crate::project::parse_reference;

/// Lifetime of a preview after its last commit: the default, and the maximum; hours.
const PREVIEW_HOURS: i64 = 7 * 24;
const MAX_PREVIEW_HOURS: i64 = 90 * 24;
const MAX_BRANCHES: usize = 50;
const MAX_TOKEN: usize = 500;

/// Parameters of a new connection to a repository.
#[derive(Debug, Clone)]
pub struct NewGitConnection {
    /// The project.
    pub project: ProjectId,
    /// Kind of the host's API; detected from the project's repository if absent.
    pub host: Option<GitHost>,
    /// URL of that API; the public host's if absent.
    pub api_url: Option<String>,
    /// The repository's name there; that of the project's repository when absent.
    pub repository: Option<String>,
    /// Token for the API; if absent, the team's installation of the app is used, or nothing.
    pub token: Option<Secret>,
    /// Rules for other branches that deploy, with their environments.
    pub branches: Vec<(String, String)>,
    /// Enables previews of pull requests.
    pub previews: bool,
    /// Lifetime of a preview after its last commit, hours.
    pub preview_hours: Option<i64>,
}

/// Change of a connection. `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct GitConnectionEdit {
    /// Rules for other branches that deploy, with their environments.
    pub branches: Option<Vec<(String, String)>>,
    /// Enables previews of pull requests.
    pub previews: Option<bool>,
    /// Lifetime of a preview after its last commit, hours.
    pub preview_hours: Option<i64>,
    /// Token for the API.
    pub token: Option<Secret>,
    /// Requests a new secret, which signs webhooks from now on.
    pub new_secret: bool,
}

/// A connection, and what its webhooks are to be signed with where that is new: it is shown this once.
#[derive(Debug, Clone)]
pub struct MadeConnection {
    /// The connection.
    pub connection: GitConnection,
    /// The secret.
    pub secret: Option<Secret>,
}

/// Builds the audit log's details of a connection.
fn logged(connection: &GitConnection) -> Value {
    json!({
        "host": connection.host.name(), "apiUrl": connection.api_url, "repository": connection.repository,
        "installation": connection.installation_id, "reports": connection.reports, "branches": connection.branches,
        "previews": connection.previews, "previewHours": connection.preview_hours,
    })
}

fn rules(branches: &[(String, String)]) -> Result<Vec<BranchRule>> {
    if branches.len() > MAX_BRANCHES {
        let message = format!("at most {MAX_BRANCHES} branches deploy besides the project's own: name fewer");
        return Err(ServiceError::invalid("branches", "TOO_MANY", message));
    }
    let mut rules: Vec<BranchRule> = Vec::with_capacity(branches.len());
    for (branch, environment) in branches {
        let rule = BranchRule { branch: parse_reference(branch)?, environment: parse_environment(Some(environment))? };
        if rules.iter().any(|other| other.branch == rule.branch) {
            return Err(ServiceError::invalid("branches", "TWICE", format!("`{branch}` is named twice: name it once")));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn hours(hours: i64) -> Result<i64> {
    if (1..=MAX_PREVIEW_HOURS).contains(&hours) {
        return Ok(hours);
    }
    let message = format!("{hours} is out of range: give 1 to {MAX_PREVIEW_HOURS} hours");
    Err(ServiceError::invalid("previewHours", "OUT_OF_RANGE", message))
}

fn check_token(token: &Secret) -> Result<()> {
    let text = token.expose();
    if (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ServiceError::invalid(
        "token",
        "INVALID_TOKEN",
        "this is no token of a Git host: give it without blanks, as the host shows it",
    ))
}

fn refused(error: &HostError) -> ServiceError {
    match error {
        HostError::Later(message) => ServiceError::Unavailable(format!("{message}: try again in a moment")),
        HostError::Refused(message) | HostError::NotFound(message) => ServiceError::invalid("token", "REFUSED", message),
    }
}

impl GitConnections {
    /// The connection of a project, if it has one.
    pub async fn connection(&self, actor: &Actor, project: ProjectId) -> Result<Option<GitConnection>> {
        require_on(actor, Permission::ProjectRead, Target::Project(project), "project")?;
        Ok(self.store().git_connection_of(actor.team_id, project).await?)
    }

    /// Lists the webhooks from the host of a project's connection, the latest first.
    pub async fn deliveries(
        &self,
        actor: &Actor,
        project: ProjectId,
        after: Option<GitDeliveryId>,
        limit: i64,
    ) -> Result<Page<WebhookDelivery>> {
        let connection = self.connection(actor, project).await?.ok_or(ServiceError::NotFound("Git connection"))?;
        Ok(self.store().git_delivery_list(actor.team_id, connection.id, after, limit).await?)
    }

    /// Connects a project's repository: from then on its pushes deploy, for as long as the actor may do so. The secret is what the host's
    /// webhooks have to be signed with; with the app there is none to set.
    pub async fn connect(&self, actor: &Actor, input: NewGitConnection) -> Result<MadeConnection> {
        let entry = AuditEntry::new(Action::GitConnect);
        let project = self.project_to_connect(actor, input.project, &entry).await?;
        let place = self.place(&project, &input)?;
        if let Some(token) = &input.token {
            check_token(token)?;
        }
        let installation = if input.token.is_none() { self.installation_for(actor, &place).await? } else { None };
        let connection = GitConnection {
            id: GitConnectionId::new(),
            team_id: actor.team_id,
            project_id: project.id,
            host: place.host,
            api_url: place.api.into(),
            repository: place.repository,
            installation_id: installation,
            reports: input.token.is_some() || installation.is_some(),
            branches: rules(&input.branches)?,
            previews: input.previews,
            preview_hours: hours(input.preview_hours.unwrap_or(PREVIEW_HOURS))?,
            created_by: actor.user_id,
            created_at: now(),
        };
        self.try_host(&connection, input.token.clone()).await?;
        let secret = random_token("");
        let secrets = GitSecrets {
            sealed_secret: self.seal_for(actor, &secret_identity(connection.id), &secret).await?,
            sealed_token: match &input.token {
                Some(token) => Some(self.seal_for(actor, &token_identity(connection.id), token).await?),
                None => None,
            },
        };
        let mut tx = self.begin().await?;
        let project = tx.project_lock(actor.team_id, project.id).await?.filter(|project| project.deleting_at.is_none());
        let project = project.ok_or(ServiceError::NotFound("project"))?;
        tx.git_connection_insert(&connection, &secrets).await.map_err(|error| match error {
            StoreError::Exists => {
                let message = "the project's repository is connected already: change that connection, or disconnect it first";
                ServiceError::invalid("projectId", "CONNECTED", message)
            }
            error => error.into(),
        })?;
        let entry = entry.on("git_connection", connection.id).named(&connection.repository);
        record(&mut tx, actor, entry.in_project(project.id, &project.name).after(logged(&connection))).await?;
        tx.commit().await?;
        Ok(MadeConnection { secret: installation.is_none().then_some(secret), connection })
    }

    /// Changes a connection.
    pub async fn update(&self, actor: &Actor, project: ProjectId, edit: GitConnectionEdit) -> Result<MadeConnection> {
        let entry = AuditEntry::new(Action::GitUpdate);
        let project = self.project_to_connect(actor, project, &entry).await?;
        let before = self.store().git_connection_of(actor.team_id, project.id).await?;
        let before = before.ok_or(ServiceError::NotFound("Git connection"))?;
        let mut change = GitConnectionChange {
            branches: edit.branches.as_deref().map(rules).transpose()?,
            previews: edit.previews,
            preview_hours: edit.preview_hours.map(hours).transpose()?,
            ..GitConnectionChange::default()
        };
        if let Some(token) = &edit.token {
            if before.installation_id.is_some() {
                let message = "this connection uses the GitHub App, not a token: disconnect it, and connect it with a token";
                return Err(ServiceError::invalid("token", "BY_APP", message));
            }
            check_token(token)?;
            self.try_host(&before, Some(token.clone())).await?;
            change.sealed_token = Some(self.seal_for(actor, &token_identity(before.id), token).await?);
        }
        let secret = edit.new_secret.then(|| random_token(""));
        if let Some(secret) = &secret {
            change.sealed_secret = Some(self.seal_for(actor, &secret_identity(before.id), secret).await?);
        }
        let mut tx = self.begin().await?;
        if !tx.git_connection_update(actor.team_id, before.id, &change).await? {
            return Err(ServiceError::NotFound("Git connection"));
        }
        let after = GitConnection {
            branches: change.branches.unwrap_or_else(|| before.branches.clone()),
            previews: change.previews.unwrap_or(before.previews),
            preview_hours: change.preview_hours.unwrap_or(before.preview_hours),
            reports: before.reports || edit.token.is_some(),
            ..before.clone()
        };
        let entry = entry.on("git_connection", before.id).named(&before.repository).in_project(project.id, &project.name);
        let entry = entry.detail("newToken", edit.token.is_some()).detail("newSecret", edit.new_secret);
        record(&mut tx, actor, entry.between(logged(&before), logged(&after))).await?;
        tx.commit().await?;
        Ok(MadeConnection { connection: after, secret })
    }

    /// Ends a connection. Its previews are removed; what was deployed else stays.
    pub async fn disconnect(&self, actor: &Actor, project: ProjectId) -> Result<()> {
        let entry = AuditEntry::new(Action::GitDisconnect);
        let project = self.project_to_connect(actor, project, &entry).await?;
        let found = self.store().git_connection_of(actor.team_id, project.id).await?;
        let connection = found.ok_or(ServiceError::NotFound("Git connection"))?;
        let mut tx = self.begin().await?;
        tx.project_lock(actor.team_id, project.id).await?;
        self.remove_previews(&mut tx, &connection).await?;
        if !tx.git_connection_delete(actor.team_id, connection.id).await? {
            return Err(ServiceError::NotFound("Git connection"));
        }
        for kind in ["git_delivery_failed", "git_report_failed"] {
            tx.alert_resolve(kind, &connection.id.to_string()).await?;
        }
        let entry = entry.on("git_connection", connection.id).named(&connection.repository);
        record(&mut tx, actor, entry.in_project(project.id, &project.name).before(logged(&connection))).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The project, when the actor may say what deploys it.
    async fn project_to_connect(&self, actor: &Actor, project: ProjectId, entry: &AuditEntry) -> Result<Project> {
        let entry = entry.clone().on("project", project);
        for permission in [Permission::ProjectWrite, Permission::DeploymentWrite] {
            self.audit_denial(actor, &entry, require_somewhere(actor, permission)).await?;
            let allowed = require_on(actor, permission, Target::Project(project), "project");
            self.audit_denial(actor, &entry, allowed).await?;
        }
        self.store().project_get(actor.team_id, project).await?.ok_or(ServiceError::NotFound("project"))
    }

    async fn seal_for(&self, actor: &Actor, identity: &str, secret: &Secret) -> Result<Vec<u8>> {
        self.sealer().seal(self.store(), actor.team_id, identity, secret).await
    }

    /// Asks the host for the repository, so that a token that does not fit is refused now and not at the first push.
    async fn try_host(&self, connection: &GitConnection, token: Option<Secret>) -> Result<()> {
        let api = HostApi::open(&self.settings().git_hosts, connection, token).await.map_err(|error| refused(&error))?;
        match api {
            Some(api) => api.check(&connection.repository).await.map_err(|error| refused(&error)),
            None => Ok(()),
        }
    }
}
