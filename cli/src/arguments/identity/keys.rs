//! API keys, and the server's master key.

use clap::{Args, Subcommand};

use crate::arguments::{Output, RotateOptions};

#[derive(Debug, Args)]
pub struct KeysOptions {
    #[command(subcommand)]
    pub command: Option<KeysCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the API keys
    List,
    /// Make a key and print it, this once
    Create {
        /// Purpose of the key
        name: String,
        /// Permissions of the key, such as deployment-write; all of your own if omitted
        #[arg(long = "scope", value_name = "PERMISSION")]
        scopes: Option<Vec<String>>,
        /// The service account of yours that it is for: name or id
        #[arg(long, value_name = "ACCOUNT")]
        service_account: Option<String>,
        /// In how many days it expires; never when left out
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<i64>,
    },
    /// Revoke a key
    Revoke {
        /// Its id, as `keys list` shows it
        key: String,
    },
    /// Replace the master key, while everything runs; on the server's own machine
    ///
    /// All secrets are sealed anew under a new key. Start it again if it is stopped: it goes on.
    Rotate(Box<RotateOptions>),
}
