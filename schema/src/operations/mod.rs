//! What keeps an installation at work: jobs, queues, alerts.

pub mod model;
pub mod mutation;
pub mod query;
