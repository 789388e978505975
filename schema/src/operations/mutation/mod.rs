//! What can be changed.

pub mod jobs;
