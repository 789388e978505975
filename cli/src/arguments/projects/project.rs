//! Projects.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::arguments::{EnvironmentChoice, Output};

#[derive(Debug, Args)]
pub struct InitOptions {
    /// The directory
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// The project's name; the directory's when left out
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct ProjectsOptions {
    #[command(subcommand)]
    pub command: Option<ProjectsCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum ProjectsCommand {
    /// List the team's projects
    List {
        /// Show those after this project id, for the next page
        #[arg(long, value_name = "PROJECT")]
        after: Option<String>,
    },
    /// Create a project
    Create {
        /// Its name
        name: String,
        /// The repository it is deployed from
        #[arg(long)]
        repository: Option<String>,
        /// The branch, tag or commit
        #[arg(long = "ref", value_name = "REF")]
        reference: Option<String>,
    },
    /// Change a project's name, repository or branch
    Update {
        /// Its name
        name: String,
        /// The new name; its addresses change at once
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// The repository it is deployed from; empty for none
        #[arg(long)]
        repository: Option<String>,
        /// The branch, tag or commit; empty for the repository's default branch
        #[arg(long = "ref", value_name = "REF")]
        reference: Option<String>,
    },
    /// Show a project with its environments and resources
    Show {
        /// Its name
        name: String,
    },
    /// Have what is deployed to an environment approved by somebody else first
    Protect {
        /// The project's name
        name: String,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Deploy to an environment without an approval again
    Unprotect {
        /// The project's name
        name: String,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Delete a project and all it has in clouds
    Delete {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}
