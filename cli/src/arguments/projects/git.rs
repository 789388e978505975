//! The connection to a repository at a Git host.

use clap::{Args, Subcommand};
use url::Url;

use crate::arguments::{Output, ProjectChoice};

#[derive(Debug, Args)]
pub struct GitOptions {
    #[command(subcommand)]
    pub command: Option<GitCommand>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum GitCommand {
    /// Show how the project's repository is connected
    Show,
    /// Connect the project's repository: pushes deploy, pull requests get previews
    Connect {
        /// API that the host has; detected from the repository's address if omitted
        #[arg(long, value_parser = ["github", "gitlab"])]
        host: Option<String>,
        /// URL of that API; that of github.com or gitlab.com if omitted
        #[arg(long, value_name = "URL")]
        api_url: Option<Url>,
        /// The repository there, as OWNER/NAME; that of the project's repository when left out
        #[arg(long, value_name = "OWNER/NAME")]
        repository: Option<String>,
        #[command(flatten)]
        token: TokenChoice,
        #[command(flatten)]
        rules: ConnectionRules,
    },
    /// Change the connection
    Update {
        #[command(flatten)]
        token: TokenChoice,
        #[command(flatten)]
        rules: ConnectionRules,
        /// Sign webhooks with a new secret, which is shown once; the host has to be given it at once
        #[arg(long)]
        new_secret: bool,
    },
    /// End the connection, and remove its previews
    Disconnect,
    /// List what the host told, the latest first, and what came of it
    Deliveries {
        /// Number of items to show
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=100))]
        limit: i64,
    },
    /// List the previews of pull requests
    Previews,
    /// List where the GitHub App is installed; for who runs the server
    Installations,
    /// Let your team connect the repositories of an account with the GitHub App; for who runs the server
    Assign {
        /// The installation's number
        installation: u64,
    },
    /// Take that back
    Unassign {
        /// The installation's number
        installation: u64,
    },
}

/// Source of the token for the host's API. The token is no argument, as other users of the machine see those.
#[derive(Debug, Args)]
pub struct TokenChoice {
    #[arg(long, help = "Read a token for the host's API from stdin; or MIKROCLOUD_GIT_TOKEN holds it")]
    pub token_stdin: bool,
}

#[derive(Debug, Args)]
pub struct ConnectionRules {
    /// A branch besides the project's own that deploys, and where to; may be given several times
    #[arg(long = "branch", value_name = "BRANCH=ENVIRONMENT", value_parser = rule)]
    pub branches: Vec<(String, String)>,
    /// Enables previews of pull requests
    #[arg(long)]
    pub previews: Option<bool>,
    /// Lifetime of a preview after its last commit, in hours
    #[arg(long)]
    pub preview_hours: Option<i64>,
}

fn rule(text: &str) -> Result<(String, String), String> {
    let (branch, environment) = text.rsplit_once('=').ok_or("give BRANCH=ENVIRONMENT, such as develop=staging")?;
    Ok((branch.to_owned(), environment.to_owned()))
}
