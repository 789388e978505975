//! Commands for operators, on the server's own machine.

use std::net::SocketAddr;

use clap::Args;

use crate::arguments::{DataDirectory, Output};

#[derive(Debug, Args)]
pub struct BackupCommandOptions {
    #[command(flatten)]
    pub backup: server::BackupOptions,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct RestoreCommandOptions {
    #[command(flatten)]
    pub restore: server::RestoreOptions,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct DoctorOptions {
    #[command(flatten)]
    pub data: DataDirectory,
    /// The address `mikrocloud up` would listen on; `MIKROCLOUD_URL`, or 127.0.0.1:8080, when left out
    #[arg(long, env = "MIKROCLOUD_LISTEN")]
    pub listen: Option<SocketAddr>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct HealthOptions {
    /// Address it listens on, as http://HOST:PORT
    #[arg(default_value = "http://127.0.0.1:8080")]
    pub url: url::Url,
}
