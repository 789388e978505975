//! `mikrocloud up`: API, workers and edge in one process, state in one directory.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::{Server, ServerSettings};
use artifacts::ArtifactStore;
use clouds_local::LocalCloud;
use clouds_local::build::{BuilderConfig, LocalBuilder};
use clouds_local::edge::{Edge, EdgeConfig};
use jobs::{EventBus, LeaseSettings, Runner, Sweeper, Wakeups, Workers};
use services::{FirstStart, Foundation, Housekeeper, LocalControl, Sealer, Services, Settings, SetupError};
use store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::data_directory::{DATABASE, DataDir};
use super::edge_router::LocalEdge;
use super::local_control::InProcess;
use super::logging;
use super::master_key::master_key;
use crate::arguments::UpOptions;
use crate::client::credentials::Credentials;
use crate::failure::Failure;

/// How many releases and clean-ups run at once; they mostly wait.
const RELEASES: usize = 16;
const CLEANUPS: usize = 4;
/// How long jobs may take to be handed back once the grace is over.
const HAND_BACK: Duration = Duration::from_secs(5);

/// Runs until SIGTERM or SIGINT.
pub async fn up(options: UpOptions) -> Result<(), Failure> {
    logging::start();
    let listener = listen(options.listen).await?;
    let address = listener.local_addr().context("the listener's address")?;
    let data = DataDir::open(options.data.directory.clone())?;
    // Before the database: a database without its key would never start again.
    let sealer = Arc::new(Sealer::new(master_key(data.path())?));
    let store = open_store(data.path()).await?;
    let house = House::build(&options, &data, store, sealer, address).await?;
    let first_start = house.services.set_up().await.map_err(|error| match error {
        SetupError::WrongMasterKey => Failure::failed("MASTER_KEY", error.to_string()),
        SetupError::Failed(error) => anyhow::Error::from(error).into(),
    })?;
    house.run(&options, &data, listener, first_start.as_ref()).await
}

/// Everything that runs in the process.
struct House {
    store: Store,
    services: Services,
    edge: Edge,
    bus: EventBus,
    wakeups: Wakeups,
}

impl House {
    async fn build(
        options: &UpOptions,
        data: &DataDir,
        store: Store,
        sealer: Arc<Sealer>,
        address: SocketAddr,
    ) -> Result<Self, Failure> {
        let directory = data.path();
        let artifacts = ArtifactStore::open(directory.join("artifacts")).context("the artifacts cannot be opened")?;
        let (bus, wakeups) = (EventBus::default(), Wakeups::new(&jobs::payload::QUEUES));
        let local =
            LocalControl { store: store.clone(), sealer: Arc::clone(&sealer), bus: bus.clone(), artifacts: artifacts.clone() };
        let control = Arc::new(InProcess(local));
        let builder = LocalBuilder::new(BuilderConfig { cache_directory: directory.join("cache"), instance: data.instance() });
        // What a killed process left: its builds are run again from the start.
        clouds_local::process::kill_marked(&builder.marker_prefix()).await;
        let fetching = format!("{}:fetch", data.instance());
        clouds_local::process::kill_marked(&fetching).await;
        remove_leftovers(&directory.join("builds")).await?;
        let mut config = EdgeConfig::new(directory.join("edge"), data.instance());
        config.base_domain.clone_from(&options.base_domain);
        config.public_port = Some(address.port());
        config.start_deadline = options.limits.start_deadline();
        let edge = Edge::start(config, control.clone()).await.context("the edge cannot start")?;
        let clouds = vec![LocalCloud::cloud(edge.clone(), control, Arc::new(builder))];
        let settings = Settings {
            build_limits: options.limits.of_builds(),
            fetch_env: vec![(clouds_local::process::MARKER.to_owned(), fetching)],
            ..Settings::in_directory(directory.to_owned())
        };
        let foundation =
            Foundation { store: store.clone(), bus: bus.clone(), wakeups: wakeups.clone(), sealer, clouds, artifacts, settings };
        Ok(Self { store, services: Services::new(foundation), edge, bus, wakeups })
    }

    async fn run(
        self,
        options: &UpOptions,
        data: &DataDir,
        listener: TcpListener,
        first_start: Option<&FirstStart>,
    ) -> Result<(), Failure> {
        let metrics = api::install_metrics().context("metrics cannot be recorded")?;
        let edge = Some(Arc::new(LocalEdge(self.edge.clone())) as Arc<dyn api::EdgeRouter>);
        let server = Server::new(listener, ServerSettings { services: self.services.clone(), edge, metrics });
        let url = format!("http://{}", server.address().context("the listener's address")?);
        let (no_more_requests, hand_back, stop_sweeping) =
            (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let runner = Arc::new(Runner::new(
            self.store.clone(),
            self.bus.clone(),
            self.wakeups.clone(),
            LeaseSettings::default(),
            worker::registrations(&self.services),
            hand_back.clone(),
        ));
        let sweeper = Sweeper::new(self.store.clone(), self.wakeups.clone(), Arc::new(Housekeeper(self.services.clone())));
        // The data directory is locked: whatever the database says is running, nobody runs it.
        sweeper.reclaim_all().await.context("interrupted jobs cannot be taken back")?;
        let queues = [("build", usize::from(options.builds)), ("release", RELEASES), ("cleanup", CLEANUPS)];
        let workers = Workers::start(&runner, &self.wakeups, &queues);
        let sweeping = tokio::spawn(sweeper.run(stop_sweeping.clone()));
        let serving = tokio::spawn(server.run(no_more_requests.clone()));
        announce(&url, data, first_start)?;

        wait_for_signal().await?;
        tracing::info!(seconds = options.shutdown_seconds, "stopping: taking nothing new, letting what runs finish");
        stop_sweeping.cancel();
        no_more_requests.cancel();
        let mut stopping = tokio::spawn(workers.stop());
        let grace = Duration::from_secs(options.shutdown_seconds);
        if timeout(grace, &mut stopping).await.is_err() {
            hand_back.cancel();
            // Whoever does not heed the call must not keep the process: the next start takes such a job back.
            if timeout(HAND_BACK, &mut stopping).await.is_err() {
                stopping.abort();
                tracing::warn!("some jobs could not be handed back in time; the next start takes them back");
            }
        }
        let _ = serving.await;
        let _ = sweeping.await;
        self.edge.shutdown(Duration::from_secs(5)).await;
        self.store.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Removes the directories of interrupted builds.
async fn remove_leftovers(builds: &Path) -> Result<(), Failure> {
    match tokio::fs::remove_dir_all(builds).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let message = format!("what interrupted builds left in {} cannot be removed: {error}", builds.display());
            Err(Failure::failed("DATA_DIRECTORY", message))
        }
        _ => Ok(()),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there; stop it, or choose another address with --listen",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose another address with --listen",
            _ => "choose another address with --listen",
        };
        Failure::failed("LISTEN", format!("cannot listen on {address}: {error}. Remedy: {remedy}"))
    })
}

async fn open_store(directory: &Path) -> Result<Store, Failure> {
    let path = directory.join(DATABASE);
    let opened = async {
        let store = Store::sqlite(&path).await?;
        store.migrate().await?;
        Ok::<_, StoreError>(store)
    };
    opened.await.map_err(|error| match error {
        StoreError::NewerSchema => Failure::failed("NEWER_SCHEMA", format!("{}: {error}", path.display())),
        error => Failure::failed(
            "DATABASE",
            format!("the database {} cannot be opened: {}", path.display(), jobs::handler::chain(&error)),
        ),
    })
}

/// Says where the server is. The last line is for programs that wait for it.
fn announce(url: &str, data: &DataDir, first_start: Option<&FirstStart>) -> Result<(), Failure> {
    match first_start {
        Some(first_start) => {
            Credentials { url: url.to_owned(), token: first_start.cli_key.clone(), data: Some(data.path().to_owned()) }.save()?;
            println!("MikroCloud is set up. State: {}", data.path().display());
            println!("Sign in once, as owner@localhost, and choose a password (within 24 hours):");
            println!("  {url}/auth/link?token={}", first_start.link_token.expose());
            println!("The command line of this machine user is signed in already: try `mikrocloud deploy`.");
        }
        None => Credentials::follow_server(url, data.path())?,
    }
    println!("ready {url}");
    Ok(())
}

async fn wait_for_signal() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
