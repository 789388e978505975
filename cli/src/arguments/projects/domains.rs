//! Domains of the team's own.

use clap::{Args, Subcommand};

use crate::arguments::{EnvironmentChoice, Output, ProjectChoice};

#[derive(Debug, Args)]
pub struct DomainsOptions {
    #[command(subcommand)]
    pub command: Option<DomainsCommand>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum DomainsCommand {
    /// List the project's domains, and how they stand
    List,
    /// Let a domain of yours show an environment; says which DNS records to make
    Add {
        /// Its name, such as www.example.org
        name: String,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Show one domain: its DNS records, what is wrong, its certificate
    Show {
        /// Its name
        name: String,
    },
    /// Look now whether the DNS shows that a domain is yours
    Verify {
        /// Its name
        name: String,
    },
    /// Let a domain show another environment of the project
    Update {
        /// Its name
        name: String,
        /// The environment that it shows from now on
        #[arg(long)]
        environment: String,
    },
    /// Remove a domain: it is served no longer
    Remove {
        /// Its name
        name: String,
    },
}
