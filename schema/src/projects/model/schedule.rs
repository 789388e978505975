use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::ScheduleId;
use domain::schedule::Action;
pub use domain::schedule::MissedRuns;
pub use domain::schedule::RunState;

use crate::context::caller;
use crate::error::to_graphql;
use crate::paging::page_size;

/// Something that is done again and again.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Schedule {
    id: ID,
    name: String,
    /// The environment it works on.
    environment: String,
    /// Times of the runs, as a cron expression.
    cron: String,
    time_zone: String,
    /// The path that is requested; none when the project is deployed.
    path: Option<String>,
    /// Treatment of missed times.
    missed: MissedRuns,
    enabled: bool,
    timeout_seconds: i64,
    /// Next due time.
    next_due_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: ScheduleId,
}

#[ComplexObject]
impl Schedule {
    /// Its runs, the latest first; `before` gives the next page.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(0) * child_complexity")]
    async fn runs(&self, context: &Context<'_>, first: Option<i32>, before: Option<DateTime<Utc>>) -> Result<Vec<ScheduleRun>> {
        let (services, actor) = caller(context)?;
        let page = services.schedules().runs(actor, self.row_id, before, page_size(first)?).await.map_err(to_graphql)?;
        Ok(page.items.into_iter().map(ScheduleRun::from).collect())
    }
}

impl From<domain::schedule::Schedule> for Schedule {
    fn from(schedule: domain::schedule::Schedule) -> Self {
        let path = match schedule.action {
            Action::Deploy => None,
            Action::Request { path } => Some(path),
        };
        Self {
            id: schedule.id.to_string().into(),
            name: schedule.name,
            environment: schedule.environment,
            cron: schedule.cron,
            time_zone: schedule.time_zone,
            path,
            missed: schedule.missed,
            enabled: schedule.enabled,
            timeout_seconds: schedule.timeout_seconds,
            next_due_at: schedule.next_due_at,
            created_at: schedule.created_at,
            row_id: schedule.id,
        }
    }
}

/// One time at which a schedule was due.
#[derive(SimpleObject)]
pub struct ScheduleRun {
    due_at: DateTime<Utc>,
    state: RunState,
    /// Outcome of the run.
    outcome: Option<String>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<domain::schedule::ExpectedRun> for ScheduleRun {
    fn from(run: domain::schedule::ExpectedRun) -> Self {
        Self {
            due_at: run.due_at,
            state: run.state,
            outcome: run.outcome,
            started_at: run.started_at,
            finished_at: run.finished_at,
        }
    }
}
