//! Operations of an installation: jobs, queues, alerts.

pub mod model;
pub mod mutation;
pub mod query;
