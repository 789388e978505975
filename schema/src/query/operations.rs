use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{Context, ID, Object, Result};
use domain::id::{AlertId, JobId};
use store::{JobFilter, Page};

use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::model::git::GitInstallation;
use crate::model::job::{Job, JobState, Queue};
use crate::model::schedule::{Alert, Schedule};
use crate::paging::page_size;

#[derive(Default)]
pub struct OperationsQuery;

/// A connection over a page whose cursors are the ids of its nodes.
pub(crate) fn connection<R, N: async_graphql::OutputType>(
    page: Page<R>,
    is_first: bool,
    node: impl Fn(R) -> (String, N),
) -> Connection<String, N, EmptyFields, EmptyFields> {
    let mut connection = Connection::new(!is_first, page.has_more);
    connection.edges.extend(page.items.into_iter().map(|row| {
        let (cursor, node) = node(row);
        Edge::new(cursor, node)
    }));
    connection
}

#[Object]
impl OperationsQuery {
    /// The team's jobs, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(0) * child_complexity")]
    async fn jobs(
        &self,
        context: &Context<'_>,
        queue: Option<String>,
        state: Option<JobState>,
        first: Option<i32>,
        after: Option<ID>,
    ) -> Result<Connection<String, Job, EmptyFields, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let after: Option<JobId> = after.as_ref().map(|id| parse_id("after", id)).transpose().map_err(to_graphql)?;
        let filter = JobFilter { queue, state: state.map(Into::into) };
        let page = services.jobs(actor, &filter, after, page_size(first)?).await.map_err(to_graphql)?;
        Ok(connection(page, after.is_none(), |job| (job.id.to_string(), Job::from(job))))
    }

    /// One of the team's jobs.
    async fn job(&self, context: &Context<'_>, id: ID) -> Result<Option<Job>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("id", &id).map_err(to_graphql)?;
        match services.job(actor, id).await {
            Ok(job) => Ok(Some(job.into())),
            Err(services::ServiceError::NotFound(_)) => Ok(None),
            Err(error) => Err(to_graphql(error)),
        }
    }

    /// Every queue; for who runs the installation.
    async fn queues(&self, context: &Context<'_>) -> Result<Vec<Queue>> {
        let (services, actor) = caller(context)?;
        Ok(services.queues(actor).await.map_err(to_graphql)?.into_iter().map(Queue::from).collect())
    }

    /// Where the installation's GitHub App is installed, by account; for who runs the installation.
    async fn git_installations(&self, context: &Context<'_>) -> Result<Vec<GitInstallation>> {
        let (services, actor) = caller(context)?;
        Ok(services.git_installations(actor).await.map_err(to_graphql)?.into_iter().map(GitInstallation::from).collect())
    }

    /// The schedules of a project, by name.
    async fn schedules(&self, context: &Context<'_>, project_id: ID) -> Result<Vec<Schedule>> {
        let (services, actor) = caller(context)?;
        let project = parse_id("projectId", &project_id).map_err(to_graphql)?;
        Ok(services.schedules(actor, project).await.map_err(to_graphql)?.into_iter().map(Schedule::from).collect())
    }

    /// The team's alerts, the latest first; who runs the installation also sees those about all of it.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(0) * child_complexity")]
    async fn alerts(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<ID>,
    ) -> Result<Connection<String, Alert, EmptyFields, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let after: Option<AlertId> = after.as_ref().map(|id| parse_id("after", id)).transpose().map_err(to_graphql)?;
        let page = services.alerts(actor, after, page_size(first)?).await.map_err(to_graphql)?;
        Ok(connection(page, after.is_none(), |alert| (alert.id.to_string(), Alert::from(alert))))
    }
}
