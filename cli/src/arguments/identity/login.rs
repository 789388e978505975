//! Signing in.

use clap::Args;
use domain::secret::Secret;

use crate::arguments::{DataDirectory, Output};

#[derive(Debug, Args)]
pub struct LoginOptions {
    /// The server
    #[arg(long, env = "MIKROCLOUD_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Sign in with this address; asks for the password, or reads it from stdin. Without it a browser is asked
    #[arg(long, conflicts_with = "token")]
    pub email: Option<String>,
    /// The team to work in, by name or id; the first that you joined when left out. A browser asks for it
    #[arg(long, requires = "email")]
    pub team: Option<String>,
    /// Sign in with an API key
    #[arg(long, env = "MIKROCLOUD_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print a new one-time sign-in link for the owner; needs the server's data directory or database
    #[arg(long, conflicts_with_all = ["email", "token"])]
    pub link: bool,
    /// The database of the scaled-out form, for --link
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = server::database_url)]
    pub database_url: Option<Secret>,
    #[command(flatten)]
    pub data: DataDirectory,
    #[command(flatten)]
    pub output: Output,
}
