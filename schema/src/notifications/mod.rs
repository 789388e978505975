//! Notification channels of a team.

pub mod model;
pub mod mutation;
pub mod query;
