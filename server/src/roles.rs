//! The processes of the scaled-out form.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use api::{MachineServer, Server, ServerSettings};
use clouds_local::build::{BuilderConfig, LocalBuilder};
use clouds_local::edge::Edge;
use clouds_local::engine::Engine;
use domain::id::EdgeId;
use domain::time::now;
use jobs::payload::{ALL_QUEUES, Queue};
use jobs::{LeaseSettings, Topic};
use services::{Sealer, Services, prepare};
use store::{EdgeRow, SchemaState, Store};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, SCHEMA_AHEAD, connect_database, emptied, setup_failure};
use crate::edge_router::{LocalEdge, heed_hints};
use crate::failure::Failure;
use crate::fleet::SIGN_OF_LIFE;
use crate::logging;
use crate::master_key::given_master_key;
use crate::options::{ApiOptions, EdgeOptions, MigrateOptions, WorkerOptions};
use crate::serving::{listen, wait_for_signal};
use crate::work::{Work, kill_leftovers};

/// Time within which the workloads on an edge have to end.
const EDGE_GRACE: Duration = Duration::from_secs(20);
/// Interval at which an edge searches for artifacts that nothing on it uses any more.
const CLEAN_EVERY: Duration = Duration::from_mins(10);

/// Brings the schema up to date and prepares a new installation. Two at once do no harm: the second waits for the first.
pub async fn migrate(options: MigrateOptions) -> Result<(), Failure> {
    logging::start();
    let sealer = Sealer::new(given_master_key(options.database.master_key_file.as_deref())?);
    let store = connect_database(&options.database).await?;
    let schema = store.migrate().await.map_err(|error| {
        let code = if matches!(error, store::StoreError::NewerSchema) { "NEWER_SCHEMA" } else { "DATABASE" };
        Failure::failed(code, jobs::handler::chain(&error))
    })?;
    if let Some(first_start) = prepare(&store, &sealer).await.map_err(setup_failure)? {
        let url = options.public_url.as_str().trim_end_matches('/');
        println!("Sign in once, as owner@localhost, and choose a password (within 24 hours):");
        println!("  {url}/auth/link?token={}", first_start.link_token.expose());
    }
    match schema {
        SchemaState::Ahead => println!("{SCHEMA_AHEAD}: nothing is changed"),
        _ => println!("the schema is up to date"),
    }
    store.close().await;
    Ok(())
}

/// Answers clients until SIGTERM or SIGINT.
pub async fn api(options: ApiOptions) -> Result<(), Failure> {
    logging::start();
    let listener = listen(options.listen).await?;
    let cluster = Cluster::connect(&options.cluster, &[], true).await?;
    let settings = options.sign_in.apply(options.address.apply(cluster.settings(&options.cluster)?))?;
    let address = listener.local_addr().context("the listener's address")?;
    let services = cluster.services(cluster.local_cloud(None), settings);
    let reach = options.address.reach(address, &services).await?;
    let url = reach.url_on(address);
    tokio::spawn(services.clone().watcher().run(cluster.stop.clone()));
    let metrics = api::install_metrics().context("metrics cannot be recorded")?;
    let admission = options.requests.admission(reach, Some(cluster.redis.clone()));
    let server = Server::new(listener, ServerSettings { services, edge: None, metrics }, admission);
    println!("ready {url}");
    serve_until_signal(|stop| server.run(stop)).await?;
    cluster.end().await;
    Ok(())
}

/// Runs jobs until SIGTERM or SIGINT.
pub async fn worker(options: WorkerOptions) -> Result<(), Failure> {
    logging::start();
    let listener = listen(options.health_listen).await?;
    let wanted = |queue: &Queue| options.queues.is_empty() || options.queues.iter().any(|name| name == queue.name);
    let queues: Vec<Queue> = ALL_QUEUES.into_iter().filter(wanted).collect();
    let names: Vec<_> = queues.iter().map(|queue| queue.name).collect();
    let cluster = Cluster::connect(&options.cluster, &names, true).await?;
    let builder = LocalBuilder::new(BuilderConfig {
        cache_directory: cluster.directory().join("cache"),
        instance: cluster.data.instance(),
        engine: Engine::new(cluster.data.instance(), cluster.directory().join("engine")),
        keeps_images: false,
    });
    builder.clean_engine().await;
    let fetching = kill_leftovers(&builder, &cluster.data.instance()).await;
    emptied(cluster.directory().join("builds")).await?;
    let mut settings = cluster.settings(&options.cluster)?;
    settings.projects.build_limits = options.limits.of_builds();
    settings.projects.fetch_env = vec![(clouds_local::process::MARKER.to_owned(), fetching)];
    let services = cluster.services(cluster.local_cloud(Some(Arc::new(builder))), settings);
    let at_once = |queue: &Queue| (queue.name, usize::from(options.concurrency.unwrap_or(queue.concurrency)));
    let queues: Vec<_> = queues.iter().map(at_once).collect();
    let lease = LeaseSettings::lasting(Duration::from_secs(options.lease_seconds));
    let work = Work::start((&cluster.store, &cluster.bus, &cluster.wakeups), &services, &queues, lease, false).await;
    let work = work.context("the jobs cannot be read")?;
    tokio::spawn(services.clone().watcher().run(cluster.stop.clone()));
    serve_health(listener, services, None).await?;
    tracing::info!(seconds = options.shutdown_seconds, "stopping: taking nothing new, letting what runs finish");
    work.stop(Duration::from_secs(options.shutdown_seconds)).await;
    cluster.end().await;
    Ok(())
}

/// Runs what is deployed, until SIGTERM or SIGINT.
pub async fn edge(options: EdgeOptions) -> Result<(), Failure> {
    logging::start();
    let listener = listen(options.listen).await?;
    let address = listener.local_addr().context("the listener's address")?;
    let cluster = Cluster::connect(&options.cluster, &[], false).await?;
    let services = cluster.services(cluster.local_cloud(None), cluster.settings(&options.cluster)?);
    let life = Life { store: cluster.store.clone(), row: edge_row(&options, address, cluster.directory())? };
    life.begin().await.context("this edge cannot be recorded in the database")?;
    let mut config = cluster.edge_config();
    config.start_deadline = options.limits.start_deadline();
    let edge = Edge::start(config, cluster.fleet(Some(life.row.id))).await.context("the edge cannot start")?;
    tokio::spawn(life.clone().go_on(cluster.stop.clone()));
    tokio::spawn(heed_hints(edge.clone(), cluster.bus.subscribe(Topic::Edges)));
    tokio::spawn(clean(cluster.artifacts.clone(), cluster.store.clone(), cluster.stop.clone()));
    serve_health(listener, services, Some(Arc::new(LocalEdge(edge.clone())))).await?;
    // Others take over what this edge ran while its requests finish.
    if let Err(error) = life.end().await {
        tracing::warn!(error = jobs::handler::chain(&error), "the other edges learn of this one's end by its silence");
    }
    edge.shutdown(EDGE_GRACE).await;
    cluster.end().await;
    Ok(())
}

impl Cluster {
    async fn end(self) {
        self.stop.cancel();
        self.store.close().await;
        tracing::info!("stopped");
    }
}

/// Serves health checks, metrics and what the edge shows.
async fn serve_health(listener: TcpListener, services: Services, edge: Option<Arc<dyn api::EdgeRouter>>) -> Result<(), Failure> {
    let metrics = api::install_metrics().context("metrics cannot be recorded")?;
    let server = MachineServer::new(listener, ServerSettings { services, edge, metrics });
    println!("ready http://{}", server.address().context("the listener's address")?);
    serve_until_signal(|stop| server.run(stop)).await
}

async fn serve_until_signal<F>(serve: impl FnOnce(CancellationToken) -> F) -> Result<(), Failure>
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(stop.clone()));
    wait_for_signal().await?;
    stop.cancel();
    let _ = serving.await;
    Ok(())
}

/// An edge's signs of life.
#[derive(Clone)]
struct Life {
    store: Store,
    row: EdgeRow,
}

impl Life {
    /// Records that the edge runs. What it showed before is no more; what it observed stands until it looks again.
    async fn begin(&self) -> Result<(), store::StoreError> {
        let mut tx = self.store.begin().await?;
        tx.edge_put(&self.row).await?;
        tx.edge_hide(self.row.id).await?;
        tx.commit().await
    }

    async fn go_on(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = sleep(SIGN_OF_LIFE) => {}
                () = stop.cancelled() => return,
            }
            self.row.seen_at = now();
            let given = async {
                let mut tx = self.store.begin().await?;
                tx.edge_put(&self.row).await?;
                tx.commit().await
            };
            if let Err(error) = given.await {
                tracing::warn!(error = jobs::handler::chain(&error), "this edge could give no sign of life");
            }
        }
    }

    async fn end(&self) -> Result<(), store::StoreError> {
        let mut tx = self.store.begin().await?;
        tx.edge_stop(self.row.id).await?;
        tx.commit().await
    }
}

fn edge_row(options: &EdgeOptions, listening: SocketAddr, directory: &Path) -> Result<EdgeRow, Failure> {
    let address = match &options.address {
        Some(address) if address.parse::<http::uri::Authority>().is_ok_and(|address| address.port().is_some()) => address.clone(),
        Some(address) => {
            return Err(Failure::usage(format!(
                "--address: `{}` is not host:port, such as 10.0.0.2:8081",
                address.escape_debug()
            )));
        }
        None if listening.ip().is_unspecified() => {
            return Err(Failure::usage("say where other edges reach this one with --address HOST:PORT"));
        }
        None => listening.to_string(),
    };
    Ok(EdgeRow {
        id: edge_id(&directory.join("edge-id"))?,
        name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        address,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: now(),
        seen_at: now(),
        stopped_at: None,
    })
}

/// The identity of the edge of a data directory, made at its first start.
fn edge_id(file: &Path) -> Result<EdgeId, Failure> {
    if let Ok(text) = fs::read_to_string(file) {
        return text.trim().parse().map_err(|_| {
            Failure::failed("DATA_DIRECTORY", format!("{} holds no id of an edge: remove the file", file.display()))
        });
    }
    let id = EdgeId::new();
    fs::write(file, id.to_string())
        .map_err(|error| Failure::failed("DATA_DIRECTORY", format!("{} cannot be written: {error}", file.display())))?;
    Ok(id)
}

/// Removes artifacts from this machine that nothing refers to any more.
async fn clean(artifacts: artifacts::Artifacts, store: Store, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = sleep(CLEAN_EVERY) => {}
            () = stop.cancelled() => return,
        }
        let used = match store.local_workload_artifacts().await {
            Ok(used) => used,
            Err(error) => {
                tracing::debug!(error = jobs::handler::chain(&error), "the artifacts in use cannot be listed");
                continue;
            }
        };
        if let Err(error) = artifacts.forget_unused(|digest| used.contains(digest)).await {
            tracing::warn!(error = jobs::handler::chain(&error), "unused artifacts could not be removed from this machine");
        }
    }
}
