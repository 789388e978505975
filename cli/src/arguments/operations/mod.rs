//! Operations of an installation.

mod jobs;

pub use jobs::{JobsCommand, JobsOptions};
