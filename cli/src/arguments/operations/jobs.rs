//! Jobs and queues.

use clap::{Args, Subcommand};

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct JobsOptions {
    #[command(subcommand)]
    pub command: Option<JobsCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List the team's jobs, newest first
    List {
        /// Those of this queue
        #[arg(long)]
        queue: Option<String>,
        /// Those in this state
        #[arg(long, value_parser = ["pending", "running", "done", "dead", "cancelled"])]
        state: Option<String>,
        /// Show those after this job, for the next page
        #[arg(long, value_name = "JOB")]
        after: Option<String>,
    },
    /// Show a job with what went wrong with each attempt
    Show {
        /// The job
        job: String,
    },
    /// Give a dead job all its attempts again
    Retry {
        /// The job
        job: String,
    },
    /// Cancel a job that waits, or take a dead one out of the dead set
    Discard {
        /// The job
        job: String,
    },
    /// Show how the queues stand; for operators only
    Queues,
    /// Take nothing from a queue until it is resumed
    Pause {
        /// The queue
        queue: String,
    },
    /// Take from a queue again
    Resume {
        /// The queue
        queue: String,
    },
    /// Limit how many jobs of a queue run at once; 0 for any number
    Limit {
        /// The queue
        queue: String,
        /// Over all workers
        #[arg(long)]
        total: Option<i64>,
        /// For one team
        #[arg(long)]
        team: Option<i64>,
    },
}
