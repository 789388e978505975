//! `mikrocloud up`: API, workers and edge in one process, state in one directory.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::{MachineServer, Server, ServerSettings};
use artifacts::{ArtifactStore, Artifacts, Objects};
use clouds_local::LocalCloud;
use clouds_local::build::{BuilderConfig, LocalBuilder};
use clouds_local::edge::{Edge, EdgeConfig};
use domain::secret::Secret;
use jobs::payload::{ALL_QUEUES, BUILD, QUEUES, Queue};
use jobs::{EventBus, LeaseSettings, Topic, Wakeups};
use services::{Dependencies, FirstStart, LocalControl, Sealer, Services, Settings};
use store::{SchemaState, Store, StoreError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cluster::{SCHEMA_AHEAD, emptied, setup_failure};
use crate::data_directory::{DATABASE, DataDir};
use crate::edge_router::{LocalEdge, heed_hints};
use crate::failure::Failure;
use crate::local_control::InProcess;
use crate::logging;
use crate::master_key::master_key;
use crate::options::UpOptions;
use crate::serving::{listen, wait_for_signal};
use crate::work::{Work, kill_leftovers};

/// Keeps the credential of the machine user who starts an embedded server: its address, its data directory and, at the first start,
/// the key.
pub type KeepCredential = fn(url: &str, data: &Path, key: Option<&Secret>) -> Result<(), Failure>;

/// Runs until SIGTERM or SIGINT.
pub async fn up(options: UpOptions, keep: KeepCredential) -> Result<(), Failure> {
    logging::start();
    let listener = listen(options.listen).await?;
    let address = listener.local_addr().context("the listener's address")?;
    let data = DataDir::open(options.data.directory.clone())?;
    data.check_database()?;
    // Before the database: a database without its key would never start again.
    let sealer = Arc::new(Sealer::new(master_key(data.path())?));
    let store = open_store(data.path()).await?;
    let first_start = services::prepare(&store, &sealer).await.map_err(setup_failure)?;
    tokio::spawn(Arc::clone(&sealer).keep_looking(store.clone()));
    let house = House::build(&options, &data, store, sealer, address).await?;
    house.run(&options, listener, |url| announce(url, data.path(), first_start.as_ref(), keep)).await
}

/// Everything that runs in the process.
struct House {
    store: Store,
    services: Services,
    edge: Edge,
    bus: EventBus,
    wakeups: Wakeups,
    /// Listener through which this process itself requests deployed sites, as schedules do, while everybody else is answered over
    /// TLS.
    in_the_clear: Option<TcpListener>,
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
        let artifacts = Artifacts::on_one_machine(artifacts);
        let objects = Objects::in_directory(&directory.join("objects")).context("the objects cannot be opened")?;
        let (bus, wakeups) = (EventBus::default(), Wakeups::new(&QUEUES));
        let local =
            LocalControl { store: store.clone(), sealer: Arc::clone(&sealer), bus: bus.clone(), artifacts: artifacts.clone() };
        let control = Arc::new(InProcess(local));
        let mut config = EdgeConfig::new(directory.join("edge"), data.instance());
        let builder = LocalBuilder::new(BuilderConfig {
            cache_directory: directory.join("cache"),
            instance: data.instance(),
            engine: config.engine.clone(),
            keeps_images: true,
        });
        // What a killed process left: its builds are run again from the start.
        let fetching = kill_leftovers(&builder, &data.instance()).await;
        emptied(directory.join("builds")).await?;
        config.base_domain.clone_from(&options.base_domain);
        config.listening = Some(address.to_string());
        let mut in_the_clear = None;
        if options.address.speaks_tls() {
            "https".clone_into(&mut config.public_scheme);
            let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
            config.listening = Some(listener.local_addr().context("the listener's address")?.to_string());
            in_the_clear = Some(listener);
        }
        config.public_port = Some(address.port());
        config.start_deadline = options.limits.start_deadline();
        let edge = Edge::start(config, control.clone()).await.context("the edge cannot start")?;
        tokio::spawn(heed_hints(edge.clone(), bus.subscribe(Topic::Edges)));
        let clouds = vec![LocalCloud::cloud(Arc::new(edge.clone()), control, Some(Arc::new(builder)))];
        let mut settings = Settings::in_directory(directory.to_owned());
        settings.core.alert_webhook.clone_from(&options.alerts.alert_webhook);
        settings.projects.build_limits = options.limits.of_builds();
        settings.projects.fetch_env = vec![(clouds_local::process::MARKER.to_owned(), fetching)];
        let settings = options.clouds.apply(options.storage.apply(settings));
        let settings = options.address.apply_to_sites(options.address.apply(settings));
        let settings = options.sign_in.apply(settings)?;
        let settings = options.outgoing.apply(options.git_hosts.apply(settings)?)?;
        let dependencies = Dependencies {
            store: store.clone(),
            bus: bus.clone(),
            wakeups: wakeups.clone(),
            sealer,
            clouds,
            artifacts,
            objects,
            settings,
        };
        Ok(Self { store, services: Services::new(dependencies), edge, bus, wakeups, in_the_clear })
    }

    async fn run(
        self,
        options: &UpOptions,
        listener: TcpListener,
        announce: impl FnOnce(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let metrics = api::install_metrics().context("metrics cannot be recorded")?;
        let edge = Some(Arc::new(LocalEdge(self.edge.clone())) as Arc<dyn api::EdgeRouter>);
        let settings = ServerSettings { services: self.services.clone(), edge, metrics };
        let in_the_clear = self.in_the_clear.map(|listener| MachineServer::new(listener, settings.clone()));
        let address = listener.local_addr().context("the listener's address")?;
        let reach = options.address.reach(address, &self.services).await?;
        let url = reach.url_on(address);
        let server = Server::new(listener, settings, options.requests.admission(reach, None));
        let no_more_requests = CancellationToken::new();
        let at_once = |queue: Queue| usize::from(if queue == BUILD { options.builds } else { queue.concurrency });
        let queues = ALL_QUEUES.map(|queue| (queue.name, at_once(queue)));
        // The data directory is locked: whatever the database says is running, nobody runs it.
        let work =
            Work::start((&self.store, &self.bus, &self.wakeups), &self.services, &queues, LeaseSettings::default(), true).await;
        let work = work.context("interrupted jobs cannot be taken back")?;
        tokio::spawn(self.services.clone().watcher().run(no_more_requests.clone()));
        let serving = tokio::spawn(server.run(no_more_requests.clone()));
        if let Some(server) = in_the_clear {
            tokio::spawn(server.run(no_more_requests.clone()));
        }
        announce(&url)?;

        wait_for_signal().await?;
        tracing::info!(seconds = options.shutdown_seconds, "stopping: taking nothing new, letting what runs finish");
        no_more_requests.cancel();
        work.stop(Duration::from_secs(options.shutdown_seconds)).await;
        let _ = serving.await;
        self.edge.shutdown(Duration::from_secs(5)).await;
        self.store.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

async fn open_store(directory: &Path) -> Result<Store, Failure> {
    let path = directory.join(DATABASE);
    let opened = async {
        let store = Store::sqlite(&path).await?;
        if store.migrate().await? == SchemaState::Ahead {
            tracing::warn!("{SCHEMA_AHEAD}");
        }
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
fn announce(url: &str, data: &Path, first_start: Option<&FirstStart>, keep: KeepCredential) -> Result<(), Failure> {
    keep(url, data, first_start.map(|first_start| &first_start.cli_key))?;
    if let Some(first_start) = first_start {
        println!("MikroCloud is set up. State: {}", data.display());
        println!("Sign in once, as owner@localhost, and choose a password (within 24 hours):");
        println!("  {url}/auth/link?token={}", first_start.link_token.expose());
        println!("The command line of this machine user is signed in already: try `mikrocloud deploy`.");
    }
    println!("ready {url}");
    Ok(())
}
