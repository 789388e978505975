#![doc = include_str!("../README.md")]

#[macro_use]
mod macros;

pub mod access;
pub mod alerts;
pub mod audit;
mod clouds;
mod context;
pub mod detached;
pub mod environments;
pub mod error;
pub mod idempotency;
pub mod limits;
pub mod outbound;
pub mod outbox;
mod ownership;
pub mod paging;
mod retention_clock;
pub mod sealing;
pub mod shared_reads;
pub mod text;
pub mod unit_of_work;

pub use access::{require, require_on, require_somewhere};
pub use context::{Context, ContextDependencies, CoreSettings};
pub use error::{ErrorCode, ServiceError};
pub use sealing::{MasterKey, Sealer};

/// A result of a use case.
pub type Result<T, E = ServiceError> = std::result::Result<T, E>;

handle! {
    /// Alerts about what did not happen.
    alerts: Alerts over Context
}
handle! {
    /// The audit log: queries, exports, checkpoints.
    audit: AuditLog over Context
}
