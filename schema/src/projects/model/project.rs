use std::borrow::Cow;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::DeploymentId;
use domain::project::{self, ProjectBrief};
use services::ServiceError;

use super::deployment::Deployment;
use super::domain::Domain;
use super::environment::Environment;
use super::git::{GitConnection, Preview};
use crate::connection::{All, Connection};
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::loaders;
use crate::nodes::Node;
use crate::paging::page_size;

/// Something a team deploys. What is not in the row that a list read is loaded when it is asked for.
pub struct Project {
    brief: ProjectBrief,
    whole: Option<project::Project>,
}

/// Something that exists in a cloud because of a project.
#[derive(SimpleObject)]
pub struct Resource {
    /// The cloud it is in.
    pub cloud: String,
    /// Kind of the resource.
    pub kind: String,
    /// Its name in that cloud.
    pub external_id: String,
    /// Time of the request.
    pub created_at: DateTime<Utc>,
}

impl From<project::Project> for Project {
    fn from(project: project::Project) -> Self {
        Self { brief: ProjectBrief::from(&project), whole: Some(project) }
    }
}

impl From<ProjectBrief> for Project {
    fn from(brief: ProjectBrief) -> Self {
        Self { brief, whole: None }
    }
}

impl Project {
    /// The fields that a brief row answers.
    pub const BRIEF: [&'static str; 4] = ["id", "slug", "name", "createdAt"];

    async fn whole(&self, context: &Context<'_>) -> Result<Cow<'_, project::Project>> {
        if let Some(project) = &self.whole {
            return Ok(Cow::Borrowed(project));
        }
        let loader = context.data::<DataLoader<loaders::Projects>>()?;
        let project = loader.load_one(self.brief.id).await?;
        project.map(Cow::Owned).ok_or_else(|| to_graphql(ServiceError::NotFound("project")))
    }

    async fn environments(&self, context: &Context<'_>) -> Result<Vec<Environment>> {
        let project = self.whole(context).await?;
        let loader = context.data::<DataLoader<loaders::Environments>>()?;
        let environments = loader.load_one(project.id).await?.unwrap_or_default();
        Ok(environments
            .into_iter()
            .map(|environment| Environment { environment, project: project.clone().into_owned() })
            .collect())
    }
}

impl Node for Project {
    fn cursor(&self) -> String {
        self.brief.id.to_string()
    }

    fn write_in_row(&self, field: &str, json: &mut Vec<u8>) -> Option<()> {
        match field {
            "id" => serde_json::to_writer(json, &self.brief.id),
            "slug" | "name" => serde_json::to_writer(json, self.brief.name.as_str()),
            "createdAt" => serde_json::to_writer(json, &self.brief.created_at.to_rfc3339()),
            _ => return None,
        }
        .ok()
    }
}

#[Object]
impl Project {
    /// Identity.
    async fn id(&self) -> ID {
        self.brief.id.to_string().into()
    }

    /// The unique name, first label of its addresses.
    async fn slug(&self) -> &str {
        self.brief.name.as_str()
    }

    /// The same as `slug`.
    async fn name(&self) -> &str {
        self.brief.name.as_str()
    }

    /// The repository it is deployed from by default.
    async fn repository(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.whole(context).await?.repository.clone())
    }

    /// The branch, tag or commit used by default.
    async fn reference(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.whole(context).await?.reference.clone())
    }

    /// Creation time.
    async fn created_at(&self) -> DateTime<Utc> {
        self.brief.created_at
    }

    /// Time of the last change.
    async fn updated_at(&self, context: &Context<'_>) -> Result<DateTime<Utc>> {
        Ok(self.whole(context).await?.updated_at)
    }

    /// Marks a project that is being deleted.
    async fn deleting(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.whole(context).await?.deleting_at.is_some())
    }

    /// Its environments, oldest first.
    #[graphql(name = "environments", complexity = "5 * child_complexity")]
    async fn environment_list(&self, context: &Context<'_>) -> Result<Vec<Environment>> {
        self.environments(context).await
    }

    /// The environment of this name, `production` when none is given.
    async fn environment(&self, context: &Context<'_>, name: Option<String>) -> Result<Option<Environment>> {
        let name = name.unwrap_or_else(|| "production".to_owned());
        Ok(self.environments(context).await?.into_iter().find(|found| found.environment.name.as_str() == name))
    }

    /// Its deployments, newest first; of one environment if one is named.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(20) * child_complexity")]
    async fn deployments(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        environment: Option<String>,
    ) -> Result<Connection<Deployment>> {
        let (services, actor) = caller(context)?;
        let size = page_size(first)?;
        let cursor: Option<DeploymentId> =
            after.as_ref().map(|id| parse_id("after", &ID::from(id))).transpose().map_err(to_graphql)?;
        let environment = match environment {
            Some(name) => {
                let found = services.environments().by_name(actor, self.brief.id, Some(&name)).await.map_err(to_graphql)?;
                Some(found.id)
            }
            None => None,
        };
        let page = services.deployments().list(actor, self.brief.id, environment, cursor, size).await.map_err(to_graphql)?;
        Ok(Connection::new(page, cursor.is_none(), All::Deployments(self.brief.id), Deployment))
    }

    /// Its domains, by name.
    #[graphql(complexity = "5 * child_complexity")]
    async fn domains(&self, context: &Context<'_>) -> Result<Vec<Domain>> {
        let (services, actor) = caller(context)?;
        let domains = services.domains().list(actor, self.brief.id).await.map_err(to_graphql)?;
        Ok(domains.into_iter().map(Domain::from).collect())
    }

    /// Its repository at a Git host, where that is connected.
    async fn git_connection(&self, context: &Context<'_>) -> Result<Option<GitConnection>> {
        let (services, actor) = caller(context)?;
        let found = services.git().connection(actor, self.brief.id).await.map_err(to_graphql)?;
        Ok(found.map(GitConnection::from))
    }

    /// The previews of its pull requests that are there, the latest first.
    #[graphql(complexity = "5 * child_complexity")]
    async fn previews(&self, context: &Context<'_>) -> Result<Vec<Preview>> {
        let (services, actor) = caller(context)?;
        let previews = services.git().previews(actor, self.brief.id).await.map_err(to_graphql)?;
        let environments = if previews.is_empty() { Vec::new() } else { self.environments(context).await? };
        let mut shown = Vec::with_capacity(previews.len());
        for preview in previews {
            // One that went between both looks is gone.
            let found = environments.iter().find(|found| Some(found.environment.id) == preview.environment_id);
            if let Some(Environment { environment, project }) = found {
                let url = services.environments().present_url(project, environment).await.map_err(to_graphql)?;
                shown.push(Preview::new(preview, environment.name.to_string(), url));
            }
        }
        Ok(shown)
    }

    /// All that exists in clouds because of it.
    async fn resources(&self, context: &Context<'_>) -> Result<Vec<Resource>> {
        let (services, actor) = caller(context)?;
        let resources = services.projects().resources(actor, self.brief.id).await.map_err(to_graphql)?;
        Ok(resources
            .into_iter()
            .map(|found| Resource {
                cloud: found.cloud,
                kind: found.kind.to_string(),
                external_id: found.external_id,
                created_at: found.created_at,
            })
            .collect())
    }
}
