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
    /// What kind, such as `run_missed`, `queue_age`, `dead_jobs`.
    pub kind: String,
    /// What it is about, such as a schedule's name or a queue.
    pub subject: String,
    /// What happened and what to do.
    pub message: String,
    /// Since when.
    pub raised_at: Timestamp,
    /// Until when; `None` while it lasts.
    pub resolved_at: Option<Timestamp>,
}
