use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
pub use domain::deployment::Cause;
pub use domain::deployment::DeploymentStatus;
use domain::{deployment, source};

use super::approval::Approval;
use super::environment::Environment;
use super::event::{DeploymentEvent, LogLine};
use super::place::Place;
use super::project::Project;
use crate::context::caller;
use crate::error::to_graphql;
use crate::loaders;
use crate::nodes::Node;
use crate::paging::page_size;

/// Reason for which a deployment failed or was cancelled.
#[derive(SimpleObject)]
pub struct Failure {
    /// Stable, in capitals.
    pub code: String,
    /// Description of the failure, with a remedy.
    pub message: String,
}

/// Source from which a deployment is built.
#[derive(SimpleObject)]
pub struct DeploymentSource {
    /// `git` or `upload`.
    pub kind: &'static str,
    /// The repository.
    pub repository: Option<String>,
    /// The branch, tag or commit that was asked for.
    pub reference: Option<String>,
    /// The digest of the uploaded archive.
    pub upload: Option<String>,
    /// Directory of the project within it, where one was asked for.
    pub directory: Option<String>,
}

/// One attempt to make a source live in an environment.
pub struct Deployment(pub deployment::Deployment);

impl Deployment {
    async fn loaded_project(&self, context: &Context<'_>) -> Result<domain::project::Project> {
        let loader = context.data::<DataLoader<loaders::Projects>>()?;
        let found = loader.load_one(self.0.project_id).await?;
        found.ok_or_else(|| to_graphql(services::ServiceError::NotFound("project")))
    }
}

impl Node for Deployment {
    fn cursor(&self) -> String {
        self.0.id.to_string()
    }
}

#[Object]
impl Deployment {
    /// Identity.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Counts the project's deployments from 1.
    async fn number(&self) -> i64 {
        self.0.number
    }

    /// Status of the deployment.
    async fn status(&self) -> DeploymentStatus {
        self.0.status
    }

    /// Cause of the deployment.
    async fn trigger(&self) -> Cause {
        self.0.trigger
    }

    /// Source from which it is built.
    async fn source(&self) -> DeploymentSource {
        match &self.0.source {
            source::Source::Git { repository, reference, directory } => DeploymentSource {
                kind: "git",
                repository: Some(repository.as_str().to_owned()),
                reference: reference.as_ref().map(|reference| reference.as_str().to_owned()),
                upload: None,
                directory: directory.as_ref().map(|directory| directory.as_str().to_owned()),
            },
            source::Source::Upload { digest, directory } => DeploymentSource {
                kind: "upload",
                repository: None,
                reference: None,
                upload: Some(digest.to_string()),
                directory: directory.as_ref().map(|directory| directory.as_str().to_owned()),
            },
        }
    }

    /// The commit that is built, once known: before it is approved where that is asked for, else when it is fetched.
    async fn commit_sha(&self) -> Option<&str> {
        self.0.commit_sha.as_deref()
    }

    /// Kind of the result: `static`, `server` or `functions`, once known.
    async fn kind(&self) -> Option<&'static str> {
        self.0.workload.as_ref().map(domain::workload::WorkloadSpec::kind)
    }

    /// The digest of what was built.
    async fn artifact_digest(&self) -> Option<&str> {
        self.0.artifact_digest.as_ref().map(domain::artifact::Digest::as_str)
    }

    /// The deployment whose artifact this one uses.
    async fn origin_id(&self) -> Option<ID> {
        self.0.origin_id.map(|id| id.to_string().into())
    }

    /// Reason for which it failed or was cancelled.
    async fn failure(&self) -> Option<Failure> {
        self.0.failure.clone().map(|failure| Failure { code: failure.code, message: failure.message })
    }

    /// The approval that it waits or waited for; null when its environment was not protected.
    async fn approval(&self, context: &Context<'_>) -> Result<Option<Approval>> {
        let loader = context.data::<DataLoader<loaders::Approvals>>()?;
        Ok(loader.load_one(self.0.id).await?.map(Approval::from))
    }

    /// The address that shows this deployment alone; null where a cloud gives none.
    async fn url(&self, context: &Context<'_>) -> Result<Option<String>> {
        let (services, _) = caller(context)?;
        let place = context.data::<DataLoader<loaders::Places>>()?.load_one(self.0.id).await?;
        services.deployments().url(&self.loaded_project(context).await?, &self.0, place.as_ref()).map_err(to_graphql)
    }

    /// Its place in a vendor's cloud; null on one's own machines.
    async fn place(&self, context: &Context<'_>) -> Result<Option<Place>> {
        Ok(context.data::<DataLoader<loaders::Places>>()?.load_one(self.0.id).await?.map(Place::from))
    }

    /// The project it belongs to.
    async fn project(&self, context: &Context<'_>) -> Result<Project> {
        Ok(self.loaded_project(context).await?.into())
    }

    /// The environment it is for.
    async fn environment(&self, context: &Context<'_>) -> Result<Environment> {
        let project = self.loaded_project(context).await?;
        let loader = context.data::<DataLoader<loaders::Environments>>()?;
        let environments = loader.load_one(self.0.project_id).await?.unwrap_or_default();
        let environment = environments.into_iter().find(|environment| environment.id == self.0.environment_id);
        let environment = environment.ok_or_else(|| to_graphql(services::ServiceError::NotFound("environment")))?;
        Ok(Environment { environment, project })
    }

    /// Time of the request.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Time at which its present status began.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.0.changed_at
    }

    /// Allows a rollback of its environment to it: it was live once, and its artifact is kept.
    async fn rollback_available(&self) -> bool {
        self.0.is_rollback_target()
    }

    /// Time at which its artifact was removed to free space. It can no longer be rolled back to or promoted.
    async fn artifact_removed_at(&self) -> Option<DateTime<Utc>> {
        self.0.artifact_removed_at
    }

    /// Number of builds, of all teams, that come before its own; null unless it waits for its build.
    async fn builds_before(&self, context: &Context<'_>) -> Result<Option<i64>> {
        let (services, _) = caller(context)?;
        services.deployments().builds_before(&self.0).await.map_err(to_graphql)
    }

    /// Events with numbers above `after`, in order.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(20) * child_complexity")]
    async fn events(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        #[graphql(default)] after: i64,
    ) -> Result<Vec<DeploymentEvent>> {
        let (services, actor) = caller(context)?;
        let size = page_size(first)?;
        let events = services.feeds().event_lines(actor, &self.0, after, size).await.map_err(to_graphql)?;
        Ok(events.into_iter().map(DeploymentEvent::from).collect())
    }

    /// Log lines with numbers above `after`, in order.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(20) * child_complexity")]
    async fn logs(&self, context: &Context<'_>, first: Option<i32>, #[graphql(default)] after: i64) -> Result<Vec<LogLine>> {
        let (services, actor) = caller(context)?;
        let size = page_size(first)?;
        let lines = services.feeds().log_lines(actor, &self.0, after, size).await.map_err(to_graphql)?;
        Ok(lines.into_iter().map(LogLine::from).collect())
    }

    /// Number of log lines.
    async fn log_count(&self) -> i64 {
        self.0.log_count
    }
}
