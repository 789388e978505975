//! Mutations.

pub mod jobs;
