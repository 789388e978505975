//! The ground that every area stands on: checks of permissions, units of work, alerts, the audit log, sealing, requests to addresses of
//! others, limits.

pub(crate) mod access;
pub(crate) mod alerts;
pub mod audit;
pub(crate) mod clouds;
pub(crate) mod detached;
pub(crate) mod environments;
pub(crate) mod error;
pub mod idempotency;
pub mod limits;
pub mod outbound;
pub(crate) mod outbox;
pub(crate) mod ownership;
pub mod paging;
pub(crate) mod retention_clock;
pub(crate) mod sealing;
pub(crate) mod shared_reads;
pub(crate) mod text;
pub(crate) mod unit_of_work;

use crate::handle;

handle! {
    /// Alerts about what did not happen.
    alerts: Alerts
}
handle! {
    /// The audit log: queries, exports, checkpoints.
    audit: AuditLog
}
