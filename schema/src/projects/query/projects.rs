use async_graphql::{Context, ID, Object, Result, SelectionField};
use domain::id::ProjectId;
use services::ServiceError;

use crate::connection::{All, Connection};
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::paging::page_size;
use crate::projects::model::domain::Domain;
use crate::projects::model::project::Project;

#[derive(Default)]
pub struct ProjectQuery;

#[Object]
impl ProjectQuery {
    /// The team's projects, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(20) * child_complexity")]
    async fn projects(&self, context: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<Connection<Project>> {
        let (services, actor) = caller(context)?;
        let size = page_size(first)?;
        let cursor: Option<ProjectId> =
            after.as_ref().map(|id| parse_id("after", &ID::from(id))).transpose().map_err(to_graphql)?;
        if is_brief(context.field()) {
            let page = services.projects().briefs(actor, cursor, size).await.map_err(to_graphql)?;
            return Ok(Connection::new(page, cursor.is_none(), All::Projects, Project::from));
        }
        let page = services.projects().list(actor, cursor, size).await.map_err(to_graphql)?;
        Ok(Connection::new(page, cursor.is_none(), All::Projects, Project::from))
    }

    /// A domain; null if not found in the team.
    async fn domain(&self, context: &Context<'_>, id: ID) -> Result<Option<Domain>> {
        let (services, actor) = caller(context)?;
        match services.domains().get(actor, parse_id("id", &id).map_err(to_graphql)?).await {
            Ok(domain) => Ok(Some(domain.into())),
            Err(ServiceError::NotFound(_)) => Ok(None),
            Err(error) => Err(to_graphql(error)),
        }
    }

    /// A project by id or by slug; null if not found in the team.
    async fn project(&self, context: &Context<'_>, id: Option<ID>, slug: Option<String>) -> Result<Option<Project>> {
        let (services, actor) = caller(context)?;
        let found = match (id, slug) {
            (Some(id), None) => services.projects().get(actor, parse_id("id", &id).map_err(to_graphql)?).await,
            (None, Some(slug)) => services.projects().by_name(actor, &slug).await,
            _ => Err(ServiceError::invalid("id", "ONE_OF", "give either `id` or `slug`")),
        };
        match found {
            Ok(project) => Ok(Some(project.into())),
            Err(ServiceError::NotFound(_)) => Ok(None),
            Err(error) => Err(to_graphql(error)),
        }
    }
}

/// Returns true if brief rows hold all that a query requests about the nodes of a connection.
fn is_brief(connection: SelectionField<'_>) -> bool {
    connection.selection_set().all(|part| match part.name() {
        "nodes" | "node" => part.selection_set().all(|field| Project::BRIEF.contains(&field.name())),
        "edges" => is_brief(part),
        _ => true,
    })
}
