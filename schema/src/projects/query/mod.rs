//! Queries.

pub mod approvals;
pub mod deployments;
pub mod git;
pub mod projects;
pub mod schedules;
