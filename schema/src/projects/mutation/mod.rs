//! Mutations.

pub mod approvals;
pub mod deployments;
pub mod domains;
pub mod environments;
pub mod git;
pub mod projects;
pub mod schedules;
pub mod variables;
