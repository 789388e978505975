use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};

/// Something that should have happened did not, or something waits that nobody looks at.
#[derive(SimpleObject)]
pub struct Alert {
    pub(crate) id: ID,
    /// Kind of the alert, such as `run_missed`, `run_failed`, `queue_age`, `dead_jobs`.
    kind: String,
    /// Subject of the alert: the id of a schedule, the name of a queue.
    subject: String,
    /// Description of the alert, with a remedy.
    message: String,
    raised_at: DateTime<Utc>,
    /// Time at which it was resolved; null while it lasts.
    resolved_at: Option<DateTime<Utc>>,
}

impl From<domain::alert::Alert> for Alert {
    fn from(alert: domain::alert::Alert) -> Self {
        Self {
            id: alert.id.to_string().into(),
            kind: alert.kind,
            subject: alert.subject,
            message: alert.message,
            raised_at: alert.raised_at,
            resolved_at: alert.resolved_at,
        }
    }
}
