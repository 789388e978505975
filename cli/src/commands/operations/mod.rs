//! Operations of an installation.

pub mod jobs;
