use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, ID, Object, Result};
use domain::id::ProjectId;
use services::ServiceError;

use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::model::project::Project;
use crate::paging::{Total, connection, page_size};

#[derive(Default)]
pub struct ProjectQuery;

#[Object]
impl ProjectQuery {
    /// The team's projects, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(20) * child_complexity")]
    async fn projects(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<String, Project, Total, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let size = page_size(first)?;
        let cursor: Option<ProjectId> =
            after.as_ref().map(|id| parse_id("after", &ID::from(id))).transpose().map_err(to_graphql)?;
        let page = services.projects(actor, cursor, size).await.map_err(to_graphql)?;
        let total = if context.look_ahead().field("totalCount").exists() {
            services.project_count(actor).await.map_err(to_graphql)?
        } else {
            0
        };
        Ok(connection(page, cursor.is_none(), total, |project| project.id.to_string(), Project))
    }

    /// A project by id or by slug; null when the team has none such.
    async fn project(&self, context: &Context<'_>, id: Option<ID>, slug: Option<String>) -> Result<Option<Project>> {
        let (services, actor) = caller(context)?;
        let found = match (id, slug) {
            (Some(id), None) => services.project(actor, parse_id("id", &id).map_err(to_graphql)?).await,
            (None, Some(slug)) => services.project_named(actor, &slug).await,
            _ => Err(ServiceError::invalid("id", "ONE_OF", "give either `id` or `slug`")),
        };
        match found {
            Ok(project) => Ok(Some(Project(project))),
            Err(ServiceError::NotFound(_)) => Ok(None),
            Err(error) => Err(to_graphql(error)),
        }
    }
}
