//! Input and result of a job's handler.

use std::time::Duration;

use async_trait::async_trait;
use domain::job::{Fence, Job};
use store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::payload::Payload;

/// One attempt at a job.
pub struct JobAttempt {
    /// The job.
    pub job: Job,
    /// To be shown with every write.
    pub fence: Fence,
    /// Fires when the work has to stop: the lease is lost, the job was cancelled, time is up, or the process shuts down.
    pub stop: CancellationToken,
}

impl JobAttempt {
    /// The payload, as the handler's own type.
    pub fn payload<P: Payload>(&self) -> Result<P, JobError> {
        serde_json::from_value(self.job.payload.clone())
            .map_err(|error| JobError::Fail(format!("the payload of a `{}` job cannot be read: {error}", P::KIND)))
    }
}

/// Result of a successful attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done; the runner records it.
    Done,
    /// The handler recorded the end of the job in a transaction of its own, together with what follows from it.
    Recorded,
    /// All that can be done now is done: the job is to run again later.
    Later(Later),
}

/// Wait of a job for something outside, which costs no slot and no attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// Time after which the job runs again.
    pub after: Duration,
    /// No other job with its exclusion key runs in between.
    pub holds: bool,
    /// Condition that it waits for, for people.
    pub waits_for: String,
}

/// Result of an unsuccessful attempt.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Trying again can help.
    #[error("{0}")]
    Retry(String),
    /// Trying again cannot help.
    #[error("{0}")]
    Fail(String),
    /// The work stopped because it was told to.
    #[error("stopped")]
    Stopped,
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost => Self::Stopped,
            error => Self::Retry(chain(&error)),
        }
    }
}

/// An error and its causes in one line, for the log and the job's row.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Runs one kind of job. Every step can be repeated: a job is run again when its worker dies.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Makes one attempt.
    async fn run(&self, run: JobAttempt) -> Result<Outcome, JobError>;
}

/// A handler with the rules of its payload.
pub struct Registration {
    pub(crate) kind: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) handler: Box<dyn Handler>,
}

impl Registration {
    /// Registers a handler for a payload.
    pub fn of<P: Payload>(handler: impl Handler) -> Self {
        Self { kind: P::KIND, timeout: P::TIMEOUT, handler: Box::new(handler) }
    }

    /// The kind of job it is for.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}
