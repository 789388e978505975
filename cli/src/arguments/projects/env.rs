//! Environment variables.

use clap::{Args, Subcommand};

use crate::arguments::{EnvironmentChoice, Output, ProjectChoice};

#[derive(Debug, Args)]
pub struct EnvOptions {
    #[command(subcommand)]
    pub command: EnvCommand,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum EnvCommand {
    /// List the variables that are set; values are never shown
    List {
        #[command(flatten)]
        project: ProjectChoice,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Set variables; the next deployment has them
    Set {
        /// NAME=VALUE; NAME alone reads the value from stdin, so that it stays out of the shell's history
        #[arg(required = true)]
        variables: Vec<String>,
        #[command(flatten)]
        project: ProjectChoice,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Unset a variable; the next deployment is without it
    Unset {
        /// Its name
        name: String,
        #[command(flatten)]
        project: ProjectChoice,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
}
