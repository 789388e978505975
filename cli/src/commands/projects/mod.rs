//! Projects, and what belongs to one.

pub mod approvals;
pub mod deploy;
pub mod deployments;
pub mod domains;
pub mod env;
pub mod environments;
pub mod explanation;
pub mod git;
pub mod init;
pub mod logs;
pub mod project;
pub mod schedules;
pub mod shown;
pub mod storage;
mod target;
