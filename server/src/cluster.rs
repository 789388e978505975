//! Foundations of every role of the scaled-out form: the database, Redis, the object store, the master key.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use artifacts::{ArtifactStore, Artifacts, ObjectError, Objects};
use clouds_contract::{Builds, Cloud};
use clouds_local::LocalCloud;
use clouds_local::edge::EdgeConfig;
use domain::id::EdgeId;
use jobs::{EventBus, Redis, Wakeups};
use services::{Dependencies, LocalControl, Sealer, Services, Settings, SetupError};
use store::{SchemaState, Store, StoreError};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::data_directory::DataDir;
use crate::failure::Failure;
use crate::fleet::{Fleet, OtherEdges};
use crate::master_key::given_master_key;
use crate::options::{ClusterOptions, DatabaseOptions, SiteOptions};

/// Interval at which the database's clock is read.
const CLOCK_EVERY: Duration = Duration::from_secs(30);

/// A process of the scaled-out form, connected.
pub struct Cluster {
    pub store: Store,
    pub bus: EventBus,
    pub wakeups: Wakeups,
    pub redis: Redis,
    pub sealer: Arc<Sealer>,
    pub artifacts: Artifacts,
    pub data: DataDir,
    pub sites: SiteOptions,
    objects: Objects,
    /// Fires when the process ends.
    pub stop: CancellationToken,
}

impl Cluster {
    /// Connects to everything, waiting as long as the options say. This process works on these queues, and writes objects or only reads them.
    pub async fn connect(options: &ClusterOptions, queues: &[&'static str], writes: bool) -> Result<Self, Failure> {
        // Nothing of the database is used before it is known to be the right one.
        let sealer = Arc::new(Sealer::new(given_master_key(options.database.master_key_file.as_deref())?));
        let data = DataDir::open(options.data.directory.clone())?;
        let objects = open_objects(&options.objects, writes, options.database.wait()).await?;
        let store = connect_database(&options.database).await?;
        await_schema(&store, options.database.wait()).await?;
        services::check_master_key(&store, &sealer).await.map_err(setup_failure)?;
        tokio::spawn(Arc::clone(&sealer).keep_looking(store.clone()));
        follow_clock(&store).await.context("the database's clock cannot be read")?;
        let redis = Redis::new(&options.redis_url).map_err(|error| Failure::failed("REDIS", error.to_string()))?;
        let refused = |error| Failure::failed("REDIS", format!("the Redis of REDIS_URL cannot be used: {error}"));
        redis.wait(options.database.wait()).await.map_err(refused)?;
        let cache = ArtifactStore::open(data.path().join("artifacts")).context("the cache of artifacts cannot be opened")?;
        let (bus, wakeups) = (EventBus::over_redis(&redis), Wakeups::over_redis(queues, &redis));
        let stop = CancellationToken::new();
        tokio::spawn(jobs::redis::relay(redis.clone(), bus.clone(), wakeups.clone(), stop.clone()));
        tokio::spawn(keep_clock(store.clone(), stop.clone()));
        let artifacts = Artifacts::shared(cache, objects.clone());
        Ok(Self { store, bus, wakeups, redis, sealer, artifacts, data, sites: options.sites.clone(), objects, stop })
    }

    /// Builds the access to the control plane that an edge needs, or a process that queries the edges.
    pub fn fleet(&self, me: Option<EdgeId>) -> Arc<Fleet> {
        let control = LocalControl {
            store: self.store.clone(),
            sealer: Arc::clone(&self.sealer),
            bus: self.bus.clone(),
            artifacts: self.artifacts.clone(),
        };
        Arc::new(Fleet::new(control, me))
    }

    /// The local cloud, whose edges are other processes.
    pub fn local_cloud(&self, builds: Option<Arc<dyn Builds>>) -> Cloud {
        let addresses = self.edge_config();
        let edges = OtherEdges::new(self.store.clone(), self.bus.clone(), move |label| addresses.url(label));
        LocalCloud::cloud(Arc::new(edges), self.fleet(None), builds)
    }

    /// Builds the configuration of an edge of this installation.
    pub fn edge_config(&self) -> EdgeConfig {
        let mut config = EdgeConfig::new(self.data.path().join("edge"), self.data.instance());
        config.base_domain.clone_from(&self.sites.base_domain);
        config.public_port = Some(self.sites.public_port);
        config.public_scheme.clone_from(&self.sites.public_scheme);
        config.forwarding = Some(self.sealer.forwarding_secrets());
        config
    }

    /// Builds the settings of this process's services.
    pub fn settings(&self, options: &ClusterOptions) -> Result<Settings, Failure> {
        let mut settings = Settings::in_directory(self.directory().to_owned());
        settings.core.alert_webhook.clone_from(&options.alerts.alert_webhook);
        let settings = options.clouds.apply(options.storage.apply(settings));
        options.outgoing.apply(options.git_hosts.apply(settings)?)
    }

    /// The services.
    pub fn services(&self, cloud: Cloud, settings: Settings) -> Services {
        Services::new(Dependencies {
            store: self.store.clone(),
            bus: self.bus.clone(),
            wakeups: self.wakeups.clone(),
            sealer: Arc::clone(&self.sealer),
            clouds: vec![cloud],
            artifacts: self.artifacts.clone(),
            objects: self.objects.clone(),
            settings,
        })
    }

    /// The directory for what this process has on its way.
    pub fn directory(&self) -> &Path {
        self.data.path()
    }
}

/// Converts the reason for which an installation cannot be used into a failure of the command.
pub fn setup_failure(error: SetupError) -> Failure {
    match error {
        SetupError::WrongMasterKey | SetupError::ReplacedMasterKey { .. } => Failure::failed("MASTER_KEY", error.to_string()),
        SetupError::Failed(error) => anyhow::Error::from(error).into(),
    }
}

/// Opens the object store and tries it, waiting for one that does not answer as long as the options say.
async fn open_objects(address: &Url, writes: bool, patience: Duration) -> Result<Objects, Failure> {
    let failed = |error: &ObjectError| Failure::failed("OBJECTS", format!("MIKROCLOUD_OBJECTS: {}", jobs::handler::chain(error)));
    let objects = Objects::at(address).map_err(|error| failed(&error))?;
    let until = Instant::now() + patience;
    let mut said = false;
    loop {
        let error = match objects.check(writes).await {
            Ok(()) => return Ok(objects),
            Err(error) => error,
        };
        if Instant::now() >= until || error.is_refusal() {
            return Err(failed(&error));
        }
        if !said {
            tracing::info!(reason = jobs::handler::chain(&error), "waiting for the object store");
            said = true;
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// Connects to PostgreSQL, waiting for it as long as the options say.
pub async fn connect_database(options: &DatabaseOptions) -> Result<Store, Failure> {
    let until = Instant::now() + options.wait();
    let mut said = false;
    loop {
        let error = match Store::postgres(options.database_url.expose(), options.database_connections).await {
            Ok(store) => return writable(store).await,
            Err(error) => error,
        };
        let reason = jobs::handler::chain(&error);
        if Instant::now() >= until || !error.is_connection_lost() {
            return Err(Failure::failed("DATABASE", format!("the database of DATABASE_URL cannot be used: {reason}")));
        }
        if !said {
            tracing::info!(reason, "waiting for the database");
            said = true;
        }
        sleep(Duration::from_millis(250)).await;
    }
}

async fn writable(store: Store) -> Result<Store, Failure> {
    if store.is_read_only().await.context("the database cannot be asked whether it takes writes")? {
        let message =
            "the database of DATABASE_URL takes no writes (a standby, or read-only by default): give the address of the primary";
        return Err(Failure::failed("DATABASE_READ_ONLY", message));
    }
    Ok(store)
}

/// Warning of a program that works on the schema of a newer version.
pub const SCHEMA_AHEAD: &str = "the database has the schema of a newer MikroCloud, which this version can work on, too";

/// Waits until `mikrocloud migrate` has made the schema that this program needs.
async fn await_schema(store: &Store, patience: Duration) -> Result<(), Failure> {
    let until = Instant::now() + patience;
    let mut said = false;
    loop {
        match store.schema_state().await.context("the schema cannot be looked at")? {
            SchemaState::Current => return Ok(()),
            SchemaState::Ahead => {
                tracing::warn!("{SCHEMA_AHEAD}");
                return Ok(());
            }
            SchemaState::Newer => return Err(Failure::failed("NEWER_SCHEMA", StoreError::NewerSchema.to_string())),
            SchemaState::Behind if Instant::now() >= until => {
                let message = "the database's schema is older than this program: run `mikrocloud migrate` first";
                return Err(Failure::failed("OLDER_SCHEMA", message));
            }
            SchemaState::Behind => {}
        }
        if !said {
            tracing::info!("waiting for `mikrocloud migrate`");
            said = true;
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// Sets this process's time to the database's, which all processes of the installation follow.
pub async fn follow_clock(store: &Store) -> Result<(), StoreError> {
    if let Some(shared) = store.clock().await? {
        domain::time::follow(shared);
    }
    Ok(())
}

async fn keep_clock(store: Store, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = sleep(CLOCK_EVERY) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = follow_clock(&store).await {
            tracing::debug!(
                error = jobs::handler::chain(&error),
                "the database's clock cannot be read; the last look at it holds"
            );
        }
    }
}

/// A directory below the data directory, emptied of what an earlier process left.
pub async fn emptied(directory: PathBuf) -> Result<PathBuf, Failure> {
    match tokio::fs::remove_dir_all(&directory).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let message = format!("what an earlier process left in {} cannot be removed: {error}", directory.display());
            Err(Failure::failed("DATA_DIRECTORY", message))
        }
        _ => Ok(directory),
    }
}
