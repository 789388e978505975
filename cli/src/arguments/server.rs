//! What runs a server, or looks after one on its own machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use domain::secret::Secret;

use crate::arguments::{DataDirectory, Output};
use crate::server::{
    AddressOptions, AlertOptions, GitHostOptions, LimitOptions, OutgoingOptions, RequestOptions, SignInOptions, StorageOptions,
};

#[derive(Debug, Args)]
pub struct UpOptions {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The address to listen on
    #[arg(long, env = "MIKROCLOUD_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The domain under which deployments are served
    #[arg(long, env = "MIKROCLOUD_BASE_DOMAIN", default_value = "localhost")]
    pub base_domain: String,
    /// How many builds run at once
    #[arg(long, env = "MIKROCLOUD_BUILDS", default_value_t = jobs::payload::BUILD.concurrency, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub builds: u16,
    /// How long running jobs may go on after SIGTERM before they are handed back, in seconds
    #[arg(long, env = "MIKROCLOUD_SHUTDOWN_SECONDS", default_value_t = 10)]
    pub shutdown_seconds: u64,
    #[command(flatten)]
    pub alerts: AlertOptions,
    #[command(flatten)]
    pub git_hosts: GitHostOptions,
    #[command(flatten)]
    pub outgoing: OutgoingOptions,
    #[command(flatten)]
    pub limits: LimitOptions,
    #[command(flatten)]
    pub requests: RequestOptions,
    #[command(flatten)]
    pub address: AddressOptions,
    #[command(flatten)]
    pub sign_in: SignInOptions,
    #[command(flatten)]
    pub storage: StorageOptions,
}

/// Which database, and its master key.
#[derive(Debug, Args)]
pub struct InstallationChoice {
    /// The database of the scaled-out form; without one, that in the data directory is meant
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = crate::server::database_url)]
    pub database_url: Option<Secret>,
    #[arg(
        long,
        help = "The key that seals secrets, in a file of 64 hexadecimal digits; or MIKROCLOUD_MASTER_KEY holds the digits. \
                Without either, that in the data directory is meant",
        env = "MIKROCLOUD_MASTER_KEY_FILE",
        value_name = "FILE"
    )]
    pub master_key_file: Option<PathBuf>,
    #[command(flatten)]
    pub data: DataDirectory,
}

#[derive(Debug, Args)]
pub struct RotateOptions {
    #[arg(
        long,
        help = "Write the new key to this file instead of the one that holds the old key; needed where MIKROCLOUD_MASTER_KEY holds it",
        value_name = "FILE"
    )]
    pub new_key_file: Option<PathBuf>,
    /// How long requests may take that began before every process knew of the new key, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = services::key_rotation::SETTLING.as_secs(),
        value_parser = clap::value_parser!(u64).range(services::key_rotation::SHORTEST_SETTLING.as_secs()..=3600)
    )]
    pub settle_seconds: u64,
    #[command(flatten)]
    pub installation: InstallationChoice,
}

#[derive(Debug, Args)]
pub struct BackupOptions {
    /// The file to write; one that is there is replaced once the new one is complete
    pub file: PathBuf,
    /// Write nothing: restore the file into a temporary database and compare
    #[arg(long)]
    pub verify: bool,
    #[command(flatten)]
    pub installation: InstallationChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct RestoreOptions {
    /// The backup
    pub file: PathBuf,
    /// Replace what the database holds
    #[arg(long)]
    pub replace: bool,
    #[command(flatten)]
    pub installation: InstallationChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct DoctorOptions {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The address `mikrocloud up` would listen on
    #[arg(long, env = "MIKROCLOUD_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct HealthOptions {
    /// Where it listens, as http://HOST:PORT
    #[arg(default_value = "http://127.0.0.1:8080")]
    pub url: url::Url,
}
