//! Alerts: something that should have happened did not, or something waits that nobody looks at.

use crate::id::{AlertId, TeamId};
use crate::time::Timestamp;

/// An alert. One that is open is not raised again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Alert {
    /// Identity.
    pub id: AlertId,
    /// The team it is about; `None` for the whole installation.
    pub team_id: Option<TeamId>,
    /// Kind of the alert, such as `run_missed`, `queue_age`, `dead_jobs`.
    pub kind: String,
    /// Subject of the alert, such as a schedule's name or a queue.
    pub subject: String,
    /// Description of the alert, with a remedy.
    pub message: String,
    /// Time at which it was raised.
    pub raised_at: Timestamp,
    /// Time at which it was resolved; `None` while it lasts.
    pub resolved_at: Option<Timestamp>,
}
