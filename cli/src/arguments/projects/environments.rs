//! Environments.

use clap::{Args, Subcommand};

use crate::arguments::{Output, ProjectChoice};

#[derive(Debug, Args)]
pub struct EnvironmentsOptions {
    #[command(subcommand)]
    pub command: Option<EnvironmentsCommand>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum EnvironmentsCommand {
    /// List the environments of the project
    List,
    /// Delete an environment with its variables, schedules and deployments, and all it has in clouds
    Delete {
        /// Its name; production stays for as long as its project
        name: String,
    },
}
