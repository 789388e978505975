//! Teams.

use clap::{Args, Subcommand};

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct TeamsOptions {
    #[command(subcommand)]
    pub command: Option<TeamsCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum TeamsCommand {
    /// List the teams that you are in
    List {
        /// All teams there are; for who runs the server
        #[arg(long)]
        all: bool,
    },
    /// Make a team, which you own; for who runs the server
    Create {
        /// Its name
        name: String,
    },
    /// Give the team that you work in another name
    Rename {
        /// The new name
        name: String,
    },
}
