use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use services::QueueChange;

use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;
use crate::operations::model::job::{Job, Queue};

#[derive(Default)]
pub struct JobMutation;

#[derive(InputObject)]
struct JobInput {
    /// The job.
    job_id: ID,
}

#[derive(InputObject)]
struct UpdateQueueInput {
    /// The queue.
    name: String,
    /// Pauses the queue if true.
    paused: Option<bool>,
    /// Maximum number of its jobs that run concurrently over all workers; 0 for unlimited.
    concurrency: Option<i64>,
    /// Maximum number of its jobs that run concurrently for one team; 0 for unlimited.
    team_concurrency: Option<i64>,
}

#[derive(SimpleObject)]
struct JobPayload {
    /// The job, when it went well.
    job: Option<Job>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct QueuePayload {
    /// The queue, when it went well.
    queue: Option<Queue>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn job(result: services::Result<domain::job::Job>) -> Result<JobPayload> {
    let (job, user_errors) = user_errors(result)?;
    Ok(JobPayload { job: job.map(Job::from), user_errors })
}

#[Object]
impl JobMutation {
    /// Gives a dead job all its attempts again.
    async fn retry_job(&self, context: &Context<'_>, input: JobInput) -> Result<JobPayload> {
        let (services, actor) = caller(context)?;
        job(async { services.jobs().retry(actor, parse_id("jobId", &input.job_id)?).await }.await)
    }

    /// Cancels a job that waits, or takes a dead one out of the dead set.
    async fn discard_job(&self, context: &Context<'_>, input: JobInput) -> Result<JobPayload> {
        let (services, actor) = caller(context)?;
        job(async { services.jobs().discard(actor, parse_id("jobId", &input.job_id)?).await }.await)
    }

    /// Pauses or resumes a queue, and limits how many of its jobs run at once; for operators only.
    async fn update_queue(&self, context: &Context<'_>, input: UpdateQueueInput) -> Result<QueuePayload> {
        let (services, actor) = caller(context)?;
        let UpdateQueueInput { name, paused, concurrency, team_concurrency } = input;
        let change = QueueChange { paused, concurrency, team_concurrency };
        let (queue, user_errors) = user_errors(services.queues().update(actor, &name, change).await)?;
        Ok(QueuePayload { queue: queue.map(Queue::from), user_errors })
    }
}
