//! What keeps an installation at work.

mod jobs;

pub use jobs::{JobsCommand, JobsOptions};
