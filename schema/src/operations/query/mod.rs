//! Queries.

pub mod alerts;
pub mod jobs;
