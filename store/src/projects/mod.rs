//! Projects, and what belongs to one.

pub mod acme;
pub mod approvals;
pub mod artifacts;
pub mod deployments;
pub mod domains;
pub mod environments;
pub mod events;
pub mod git_connections;
pub mod git_deliveries;
pub mod log_archives;
pub mod logs;
pub mod previews;
pub mod project;
pub mod retention;
pub mod schedules;
pub mod variables;
