//! Roles.

use clap::{Args, Subcommand};

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct RolesOptions {
    #[command(subcommand)]
    pub command: Option<RolesCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum RolesCommand {
    /// List the roles with their permissions
    List,
    /// Make a role from permissions that you have yourself
    Create {
        /// Its name
        name: String,
        /// Permissions that it includes, such as deployment-write; none if omitted
        permissions: Vec<String>,
    },
    /// Change a role for all who have it
    Update {
        /// Its name
        name: String,
        /// New permissions of the role
        permissions: Vec<String>,
        /// Give it another name
        #[arg(long)]
        rename: Option<String>,
    },
    /// Delete a role that nobody has
    Delete {
        /// Its name
        name: String,
    },
}
