use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::git_host;
pub use domain::git_host::GitHost;
pub use domain::git_host::WebhookDeliveryState as GitDeliveryState;
use domain::id::GitDeliveryId;

use crate::connection::connection;
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::paging::page_size;

/// A branch that deploys to an environment.
#[derive(SimpleObject)]
pub struct BranchRule {
    /// The branch.
    branch: String,
    /// Environment that its commits are deployed to.
    environment: String,
}

/// A project's repository at a Git host.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct GitConnection {
    /// Identity.
    id: ID,
    /// Kind of the host's API.
    host: GitHost,
    /// URL of that API.
    api_url: String,
    /// The repository there, as owner/name.
    repository: String,
    /// Enables reports of commit statuses to the host: there is a token, or the GitHub App.
    reports: bool,
    /// Indicates that reports are made by the GitHub App.
    by_app: bool,
    /// Path of its webhooks, below the address of this API.
    webhook_path: String,
    /// Rules for other branches that deploy, with their environments.
    branches: Vec<BranchRule>,
    /// Enables previews of pull requests.
    previews: bool,
    /// Lifetime of a preview after its last commit, in hours.
    preview_hours: i64,
    /// Creation time.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    row: git_host::GitConnection,
}

#[ComplexObject]
impl GitConnection {
    /// Returns the webhooks from the host, the latest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(0) * child_complexity")]
    async fn deliveries(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<ID>,
    ) -> Result<Connection<String, GitDelivery, EmptyFields, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let after: Option<GitDeliveryId> = after.as_ref().map(|id| parse_id("after", id)).transpose().map_err(to_graphql)?;
        let page = services.git().deliveries(actor, self.row.project_id, after, page_size(first)?).await.map_err(to_graphql)?;
        Ok(connection(page, after.is_none(), |row| (row.id.to_string(), GitDelivery::from(row))))
    }
}

impl From<git_host::GitConnection> for GitConnection {
    fn from(row: git_host::GitConnection) -> Self {
        let branches = row
            .branches
            .iter()
            .map(|rule| BranchRule { branch: rule.branch.as_str().to_owned(), environment: rule.environment.to_string() });
        let by_app = row.installation_id.is_some();
        let webhook_path =
            if by_app { "/webhooks/github".to_owned() } else { format!("/webhooks/{}/{}", row.host.name(), row.id) };
        Self {
            id: row.id.to_string().into(),
            host: row.host,
            api_url: row.api_url.clone(),
            repository: row.repository.to_string(),
            reports: row.reports,
            by_app,
            webhook_path,
            branches: branches.collect(),
            previews: row.previews,
            preview_hours: row.preview_hours,
            created_at: row.created_at,
            row,
        }
    }
}

/// A message of a Git host.
#[derive(SimpleObject)]
pub struct GitDelivery {
    /// Identity.
    id: ID,
    /// The host's id of it.
    delivery: String,
    /// The host's name of the event.
    event: String,
    /// State of the webhook.
    state: GitDeliveryState,
    /// Outcome of the webhook.
    outcome: Option<String>,
    /// The deployment that came of it; it may be gone since.
    deployment_id: Option<ID>,
    /// Time of receipt.
    received_at: DateTime<Utc>,
}

impl From<git_host::WebhookDelivery> for GitDelivery {
    fn from(row: git_host::WebhookDelivery) -> Self {
        Self {
            id: row.id.to_string().into(),
            delivery: row.delivery,
            event: row.event,
            state: row.state,
            outcome: row.outcome,
            deployment_id: row.deployment_id.map(|id| id.to_string().into()),
            received_at: row.received_at,
        }
    }
}

/// Preview of a pull request.
#[derive(SimpleObject)]
pub struct Preview {
    /// Identity.
    id: ID,
    /// The number of the pull request.
    number: i64,
    /// Title that its author gave it.
    title: String,
    /// Its author's name at the host.
    author: String,
    /// The branch that it would merge.
    branch: String,
    /// Its newest commit.
    commit: String,
    /// Marks a pull request from another repository; each of its commits has to be approved.
    is_fork: bool,
    /// The name of the environment that shows it.
    environment: String,
    /// The address of that environment.
    url: Option<String>,
    /// Reason for its removal, once it is being removed.
    closed_because: Option<String>,
    /// Time at which it is removed unless there are new commits.
    expires_at: DateTime<Utc>,
}

impl Preview {
    /// A preview and the environment that shows it.
    pub fn new(preview: git_host::Preview, environment: String, url: Option<String>) -> Self {
        Self {
            id: preview.id.to_string().into(),
            number: preview.number,
            title: preview.title,
            author: preview.author,
            branch: preview.branch,
            commit: preview.commit_sha,
            is_fork: preview.is_fork,
            environment,
            url,
            closed_because: preview.closed_because,
            expires_at: preview.expires_at,
        }
    }
}

/// The GitHub App on an account.
#[derive(SimpleObject)]
pub struct GitInstallation {
    /// GitHub's number of it.
    id: ID,
    /// The account.
    account: String,
    /// The team that may connect the account's repositories.
    team_id: Option<ID>,
    /// Marks an installation that the account's owner has suspended.
    suspended: bool,
    /// Time of the last change that was reported.
    changed_at: DateTime<Utc>,
}

impl From<git_host::Installation> for GitInstallation {
    fn from(row: git_host::Installation) -> Self {
        Self {
            id: row.id.to_string().into(),
            account: row.account,
            team_id: row.team_id.map(|id| id.to_string().into()),
            suspended: row.suspended,
            changed_at: row.changed_at,
        }
    }
}
