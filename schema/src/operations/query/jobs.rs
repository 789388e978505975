use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, ID, Object, Result};
use domain::id::JobId;
use services::JobFilter;

use crate::connection::connection;
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::operations::model::job::{Job, JobState, Queue};
use crate::paging::page_size;

#[derive(Default)]
pub struct JobQuery;

#[Object]
impl JobQuery {
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
        let filter = JobFilter { queue, state };
        let page = services.jobs().list(actor, &filter, after, page_size(first)?).await.map_err(to_graphql)?;
        Ok(connection(page, after.is_none(), |job| (job.id.to_string(), Job::from(job))))
    }

    /// One of the team's jobs.
    async fn job(&self, context: &Context<'_>, id: ID) -> Result<Option<Job>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("id", &id).map_err(to_graphql)?;
        match services.jobs().get(actor, id).await {
            Ok(job) => Ok(Some(job.into())),
            Err(services::ServiceError::NotFound(_)) => Ok(None),
            Err(error) => Err(to_graphql(error)),
        }
    }

    /// Every queue; for operators only.
    async fn queues(&self, context: &Context<'_>) -> Result<Vec<Queue>> {
        let (services, actor) = caller(context)?;
        Ok(services.queues().list(actor).await.map_err(to_graphql)?.into_iter().map(Queue::from).collect())
    }
}
