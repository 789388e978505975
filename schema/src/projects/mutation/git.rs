use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::secret::Secret;
use services::git_hosts::{GitConnectionEdit, MadeConnection, NewGitConnection};

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;
use crate::projects::model::git::{GitConnection, GitHost, GitInstallation};

#[derive(Default)]
pub struct GitMutation;

#[derive(InputObject)]
struct BranchRuleInput {
    /// The branch.
    branch: String,
    /// Environment that its commits are deployed to.
    environment: String,
}

#[derive(InputObject)]
struct ConnectRepositoryInput {
    /// The project.
    project_id: ID,
    /// Kind of the host's API; detected from the project's repository if omitted.
    host: Option<GitHost>,
    /// URL of that API; that of github.com or gitlab.com if omitted.
    api_url: Option<String>,
    /// The repository there, as owner/name; that of the project's repository when left out.
    repository: Option<String>,
    /// A token by which the host is told what becomes of commits, and the repository is fetched. When left out, the GitHub App is used
    /// where it is installed; without either, pushes deploy and the host is told nothing.
    token: Option<String>,
    /// Rules for branches that deploy in addition to the project's own, with their environments.
    branches: Option<Vec<BranchRuleInput>>,
    /// Enables previews of pull requests; enabled if omitted.
    previews: Option<bool>,
    /// Lifetime of a preview after its last commit, in hours; 168 if omitted.
    preview_hours: Option<i64>,
}

#[derive(InputObject)]
struct UpdateGitConnectionInput {
    /// The project.
    project_id: ID,
    /// Rules for branches that deploy in addition to the project's own, with their environments.
    branches: Option<Vec<BranchRuleInput>>,
    /// Enables previews of pull requests.
    previews: Option<bool>,
    /// Lifetime of a preview after its last commit, in hours.
    preview_hours: Option<i64>,
    /// A new token.
    token: Option<String>,
    /// Requests a new secret, which signs webhooks from now on.
    new_secret: Option<bool>,
}

#[derive(InputObject)]
struct DisconnectRepositoryInput {
    /// The project.
    project_id: ID,
}

#[derive(InputObject)]
struct AssignGitInstallationInput {
    /// GitHub's number of the installation.
    installation_id: ID,
    /// Allows the caller's team to connect the account's repositories; `false` revokes that from whichever team has it.
    assigned: bool,
}

#[derive(SimpleObject)]
struct GitConnectionPayload {
    /// The connection, when it went well.
    connection: Option<GitConnection>,
    /// Secret that has to sign the host's webhooks, if it is new. It is not returned again.
    webhook_secret: Option<String>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct DisconnectRepositoryPayload {
    /// Indicates that it is disconnected.
    disconnected: bool,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct GitInstallationPayload {
    /// The installation, when it went well.
    installation: Option<GitInstallation>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn rules(rules: Vec<BranchRuleInput>) -> Vec<(String, String)> {
    rules.into_iter().map(|rule| (rule.branch, rule.environment)).collect()
}

fn payload(result: services::Result<MadeConnection>) -> Result<GitConnectionPayload> {
    let (made, user_errors) = user_errors(result)?;
    let (connection, secret) = made.map(|made| (made.connection.into(), made.secret)).unzip();
    let webhook_secret = secret.flatten().map(|secret| secret.expose().to_owned());
    Ok(GitConnectionPayload { connection, webhook_secret, user_errors })
}

#[Object]
impl GitMutation {
    /// Connects a project's repository at its Git host: from then on pushes deploy, and pull requests get previews.
    async fn connect_repository(&self, context: &Context<'_>, input: ConnectRepositoryInput) -> Result<GitConnectionPayload> {
        let (services, actor) = caller(context)?;
        let connect = async {
            let new = NewGitConnection {
                project: parse_id("projectId", &input.project_id)?,
                host: input.host,
                api_url: input.api_url,
                repository: input.repository,
                token: input.token.map(Secret::new),
                branches: rules(input.branches.unwrap_or_default()),
                previews: input.previews.unwrap_or(true),
                preview_hours: input.preview_hours,
            };
            services.git().connect(actor, new).await
        };
        payload(connect.await)
    }

    /// Changes a connection; fields that are left out stay.
    async fn update_git_connection(
        &self,
        context: &Context<'_>,
        input: UpdateGitConnectionInput,
    ) -> Result<GitConnectionPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let edit = GitConnectionEdit {
                branches: input.branches.map(rules),
                previews: input.previews,
                preview_hours: input.preview_hours,
                token: input.token.map(Secret::new),
                new_secret: input.new_secret.unwrap_or(false),
            };
            services.git().update(actor, parse_id("projectId", &input.project_id)?, edit).await
        };
        payload(change.await)
    }

    /// Ends a connection. Its previews are removed; what was deployed else stays.
    async fn disconnect_repository(
        &self,
        context: &Context<'_>,
        input: DisconnectRepositoryInput,
    ) -> Result<DisconnectRepositoryPayload> {
        let (services, actor) = caller(context)?;
        let change = async { services.git().disconnect(actor, parse_id("projectId", &input.project_id)?).await };
        let (done, user_errors) = user_errors(change.await)?;
        Ok(DisconnectRepositoryPayload { disconnected: done.is_some(), user_errors })
    }

    /// Lets the caller's team connect the repositories of an account that the GitHub App is installed on; for operators only.
    async fn assign_git_installation(
        &self,
        context: &Context<'_>,
        input: AssignGitInstallationInput,
    ) -> Result<GitInstallationPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let id = parse_id("installationId", &input.installation_id)?;
            services.git().assign_installation(actor, id, input.assigned).await
        };
        let (installation, user_errors) = user_errors(change.await)?;
        Ok(GitInstallationPayload { installation: installation.map(Into::into), user_errors })
    }
}
