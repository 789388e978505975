//! `mikrocloud sandbox`: simulated clouds, for trials and tests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use sandbox::{Moto, NOT_SIMULATED, Sandbox, Settings};

use crate::failure::Failure;
use crate::logging;
use crate::options::UpOptions;
use crate::serving::wait_for_signal;

/// `mikrocloud sandbox`
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub(crate) listen: SocketAddr,
    /// Directory that keeps the simulated clouds over restarts; without one they end with the sandbox
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) data: Option<PathBuf>,
    /// Directory for recordings of what is asked of the clouds, one file of JSON lines for each
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) record: Option<PathBuf>,
    /// The moto server that simulates AWS; looked for in PATH when left out
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) moto: Option<PathBuf>,
}

/// Simulates the clouds until it is told to stop.
pub async fn sandbox(options: SandboxOptions) -> Result<(), Failure> {
    let SandboxOptions { listen, data, record, moto } = options;
    logging::start();
    let moto = moto.map_or(Moto::OnPath, Moto::Program);
    let settings = Settings { data, record, moto, ..Settings::new(listen) };
    let sandbox = Sandbox::start(settings).await.with_context(|| format!("the sandbox cannot run on {listen}"))?;
    let url = sandbox.url();
    println!("SIMULATED clouds at {url}: nothing that is made there is real");
    println!("never simulated: {}", NOT_SIMULATED.join("; "));
    println!("a server started with `--allow-cloud-endpoint {url}` takes `mikrocloud clouds connect gcp --sandbox {url}`");
    wait_for_signal().await?;
    Ok(sandbox.stop().await.context("the sandbox could not be stopped")?)
}

/// Starts simulated clouds beside a server, whose teams may then connect accounts at them. They keep what they hold in its directory.
pub async fn beside(options: UpOptions, directory: &Path) -> Result<(UpOptions, Option<Sandbox>), Failure> {
    let Some(listen) = options.sandbox else { return Ok((options, None)) };
    let settings = Settings { data: Some(directory.join("sandbox")), ..Settings::new(listen) };
    let sandbox = Sandbox::start(settings).await.with_context(|| format!("the sandbox cannot run on {listen}"))?;
    tracing::warn!(url = sandbox.url(), "clouds are SIMULATED here: nothing that is made there is real");
    let clouds = options.clouds.clone().with_endpoint(&sandbox.url());
    Ok((UpOptions { clouds, ..options }, Some(sandbox)))
}

/// Ends simulated clouds.
pub async fn end(sandbox: Option<Sandbox>) -> Result<(), Failure> {
    match sandbox {
        Some(sandbox) => Ok(sandbox.stop().await.context("the sandbox could not be stopped")?),
        None => Ok(()),
    }
}
