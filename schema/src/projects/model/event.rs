use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
pub use domain::event::LogStream;

use super::deployment::DeploymentStatus;

/// A step in a deployment's life.
#[derive(SimpleObject)]
pub struct DeploymentEvent {
    /// The deployment.
    pub deployment_id: ID,
    /// Counts the deployment's events from 1 without gaps; resume with `after`.
    pub number: i64,
    /// The project.
    pub project_id: ID,
    /// The environment.
    pub environment_id: ID,
    /// Counts the events of all the project's deployments from 1 without gaps; resume `projectEvents` with it.
    pub project_number: i64,
    /// The status after the event.
    pub status: DeploymentStatus,
    /// Description of the event.
    pub message: String,
    /// Time of the event.
    pub at: DateTime<Utc>,
}

impl From<domain::event::DeploymentEvent> for DeploymentEvent {
    fn from(event: domain::event::DeploymentEvent) -> Self {
        Self {
            deployment_id: event.deployment_id.to_string().into(),
            number: event.number,
            project_id: event.project_id.to_string().into(),
            environment_id: event.environment_id.to_string().into(),
            project_number: event.project_number,
            status: event.status,
            message: event.message,
            at: event.at,
        }
    }
}

/// One line of a deployment's log.
#[derive(SimpleObject)]
pub struct LogLine {
    /// Counts the deployment's lines from 1 without gaps; resume with `after`.
    pub number: i64,
    /// Origin of the line.
    pub stream: LogStream,
    /// The text, secrets masked.
    pub text: String,
    /// Time at which the line was read.
    pub at: DateTime<Utc>,
}

impl From<domain::event::LogLine> for LogLine {
    fn from(line: domain::event::LogLine) -> Self {
        Self { number: line.number, stream: line.stream, text: line.text, at: line.at }
    }
}
