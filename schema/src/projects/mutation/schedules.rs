use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use domain::schedule::Action;
use services::NewSchedule;

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;
use crate::projects::model::schedule::{MissedRuns, Schedule};

#[derive(Default)]
pub struct ScheduleMutation;

#[derive(InputObject)]
struct CreateScheduleInput {
    /// The project.
    project_id: ID,
    /// The environment; production when left out.
    environment: Option<String>,
    /// Its name, one of its kind in the project.
    name: String,
    /// Times of the runs, as a cron expression of 5 fields, or 6 with seconds first.
    cron: String,
    /// Time zone from the IANA database; UTC if omitted.
    time_zone: Option<String>,
    /// The path that is requested; when left out the project's repository is deployed.
    path: Option<String>,
    /// Treatment of times at which no MikroCloud process ran; the latest is made up for if omitted.
    missed: Option<MissedRuns>,
    /// Timeout of one run, in seconds; 60 if omitted.
    timeout_seconds: Option<i64>,
}

#[derive(InputObject)]
struct EnableScheduleInput {
    /// The schedule.
    schedule_id: ID,
    /// Enables the schedule.
    enabled: bool,
}

#[derive(InputObject)]
struct DeleteScheduleInput {
    /// The schedule.
    schedule_id: ID,
}

#[derive(SimpleObject)]
struct SchedulePayload {
    /// The schedule, when it went well.
    schedule: Option<Schedule>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct DeleteSchedulePayload {
    /// Indicates that it is deleted.
    deleted: bool,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn schedule(result: services::Result<domain::schedule::Schedule>) -> Result<SchedulePayload> {
    let (schedule, user_errors) = user_errors(result)?;
    Ok(SchedulePayload { schedule: schedule.map(Schedule::from), user_errors })
}

#[Object]
impl ScheduleMutation {
    /// Makes a schedule: the project is deployed, or a path of what it shows is requested, again and again.
    async fn create_schedule(&self, context: &Context<'_>, input: CreateScheduleInput) -> Result<SchedulePayload> {
        let (services, actor) = caller(context)?;
        let creation = async {
            let new = NewSchedule {
                project: parse_id("projectId", &input.project_id)?,
                environment: input.environment,
                name: input.name,
                cron: input.cron,
                time_zone: input.time_zone,
                action: input.path.map_or(Action::Deploy, |path| Action::Request { path }),
                missed: input.missed.map_or(domain::schedule::MissedRuns::Latest, Into::into),
                timeout_seconds: input.timeout_seconds,
            };
            services.schedules().create(actor, new).await
        };
        schedule(creation.await)
    }

    /// Enables or disables a schedule.
    async fn enable_schedule(&self, context: &Context<'_>, input: EnableScheduleInput) -> Result<SchedulePayload> {
        let (services, actor) = caller(context)?;
        let change =
            async { services.schedules().enable(actor, parse_id("scheduleId", &input.schedule_id)?, input.enabled).await };
        schedule(change.await)
    }

    /// Deletes a schedule with the ledger of its runs.
    async fn delete_schedule(&self, context: &Context<'_>, input: DeleteScheduleInput) -> Result<DeleteSchedulePayload> {
        let (services, actor) = caller(context)?;
        let deletion = async { services.schedules().delete(actor, parse_id("scheduleId", &input.schedule_id)?).await };
        let (deleted, user_errors) = user_errors(deletion.await)?;
        Ok(DeleteSchedulePayload { deleted: deleted.is_some(), user_errors })
    }
}
