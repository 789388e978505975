//! Schedules.

use clap::{Args, Subcommand};

use crate::arguments::{EnvironmentChoice, Output, ProjectChoice};

#[derive(Debug, Args)]
pub struct SchedulesOptions {
    #[command(subcommand)]
    pub command: Option<SchedulesCommand>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum SchedulesCommand {
    /// List the schedules of the project
    List,
    /// Make a schedule
    Create {
        /// Its name
        name: String,
        /// Times of the runs, as a cron expression such as '0 3 * * *'
        cron: String,
        /// Request this path; without it the project's repository is deployed
        #[arg(long)]
        path: Option<String>,
        #[command(flatten)]
        environment: EnvironmentChoice,
        /// In this time zone, such as Europe/Berlin; UTC when left out
        #[arg(long)]
        time_zone: Option<String>,
        /// Treatment of missed times; the latest is made up for if omitted
        #[arg(long, value_parser = ["skip", "latest", "all"])]
        missed: Option<String>,
        /// Timeout of one run, in seconds
        #[arg(long)]
        timeout: Option<i64>,
    },
    /// Enable a schedule
    Enable {
        /// Its name
        name: String,
    },
    /// Disable a schedule
    Disable {
        /// Its name
        name: String,
    },
    /// Delete a schedule with the ledger of its runs
    Delete {
        /// Its name
        name: String,
    },
    /// Show the runs of a schedule, the latest first
    Runs {
        /// Its name
        name: String,
    },
}
