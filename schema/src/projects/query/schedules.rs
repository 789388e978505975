use async_graphql::{Context, ID, Object, Result};

use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::projects::model::schedule::Schedule;

#[derive(Default)]
pub struct ScheduleQuery;

#[Object]
impl ScheduleQuery {
    /// The schedules of a project, by name.
    async fn schedules(&self, context: &Context<'_>, project_id: ID) -> Result<Vec<Schedule>> {
        let (services, actor) = caller(context)?;
        let project = parse_id("projectId", &project_id).map_err(to_graphql)?;
        Ok(services.schedules().list(actor, project).await.map_err(to_graphql)?.into_iter().map(Schedule::from).collect())
    }
}
