//! What a team stores.

use clap::Args;

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct StorageCommandOptions {
    #[command(flatten)]
    pub output: Output,
}
