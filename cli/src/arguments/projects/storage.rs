//! Storage of a team.

use clap::Args;

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct StorageCommandOptions {
    #[command(flatten)]
    pub output: Output,
}
