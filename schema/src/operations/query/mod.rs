//! What can be asked.

pub mod alerts;
pub mod jobs;
