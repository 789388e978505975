//! Options of the roles.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use domain::secret::Secret;
use jobs::RedisUrl;
use jobs::payload::{BUILD, QUEUES};
use url::Url;

use crate::address::AddressOptions;
use crate::clouds::CloudOptions;
use crate::git_hosts::GitHostOptions;
use crate::installation::DataDirectory;
use crate::limits::LimitOptions;
use crate::outgoing::OutgoingOptions;
use crate::requests::RequestOptions;
use crate::sign_in::SignInOptions;
use crate::storage::StorageOptions;

/// The database of the scaled-out form.
#[derive(Debug, Clone, Args)]
pub struct DatabaseOptions {
    #[arg(
        long,
        help = "The PostgreSQL database, as postgres://user:password@host/name; add ?sslmode=verify-full for TLS",
        env = "DATABASE_URL",
        hide_env_values = true,
        value_parser = database_url,
        value_name = "URL"
    )]
    pub(crate) database_url: Secret,
    /// Maximum number of connections of this process to it
    #[arg(long, env = "MIKROCLOUD_DATABASE_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub(crate) database_connections: u32,
    /// Time to wait at the start for dependencies, in seconds
    #[arg(long, env = "MIKROCLOUD_WAIT_SECONDS", default_value_t = 60)]
    pub(crate) wait_seconds: u64,
    #[arg(
        long,
        help = "The key that seals secrets, in a file of 64 hexadecimal digits; or MIKROCLOUD_MASTER_KEY holds the digits",
        env = "MIKROCLOUD_MASTER_KEY_FILE",
        value_name = "FILE"
    )]
    pub(crate) master_key_file: Option<PathBuf>,
}

/// The address of a PostgreSQL database. The driver itself takes any scheme for its own.
pub fn database_url(text: &str) -> Result<Secret, String> {
    let form = "it has the form postgres://user:password@host/name";
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(Secret::from(text)),
        Ok(url) => Err(format!("MikroCloud runs on PostgreSQL, not on `{}`: {form}", url.scheme())),
        Err(error) => Err(format!("{error}: {form}; special characters in a password are written as %XX")),
    }
}

impl DatabaseOptions {
    /// Returns the time to wait at the start.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds)
    }
}

/// Everything that all long-running roles share.
#[derive(Debug, Clone, Args)]
pub struct ClusterOptions {
    #[command(flatten)]
    pub(crate) database: DatabaseOptions,
    #[arg(
        long,
        help = "Redis or Valkey: redis://host:6379, rediss:// behind TLS, redis+sentinel://host:26379/master, redis+cluster://host:6379",
        env = "REDIS_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) redis_url: RedisUrl,
    #[arg(
        long,
        help = "Where artifacts and uploads are kept: s3://bucket/prefix, az://container/prefix, gs://bucket/prefix, or file:///directory",
        env = "MIKROCLOUD_OBJECTS",
        value_name = "URL",
        value_parser = objects_address
    )]
    pub(crate) objects: Url,
    #[command(flatten)]
    pub(crate) alerts: AlertOptions,
    #[command(flatten)]
    pub(crate) clouds: CloudOptions,
    #[command(flatten)]
    pub(crate) git_hosts: GitHostOptions,
    #[command(flatten)]
    pub(crate) outgoing: OutgoingOptions,
    #[command(flatten)]
    pub(crate) data: DataDirectory,
    #[command(flatten)]
    pub(crate) sites: SiteOptions,
    #[command(flatten)]
    pub(crate) storage: StorageOptions,
}

/// Receivers of alerts.
#[derive(Debug, Clone, Args)]
pub struct AlertOptions {
    /// URL to which alerts are sent as JSON, in the form that chat services accept
    #[arg(long, env = "MIKROCLOUD_ALERT_WEBHOOK", hide_env_values = true, value_name = "URL")]
    pub(crate) alert_webhook: Option<Secret>,
}

/// Addresses at which deployments are served.
#[derive(Debug, Clone, Args)]
pub struct SiteOptions {
    /// The domain under which deployments are served
    #[arg(long, env = "MIKROCLOUD_BASE_DOMAIN", default_value = "localhost")]
    pub(crate) base_domain: String,
    /// The port in the addresses of deployments
    #[arg(long, env = "MIKROCLOUD_PUBLIC_PORT", default_value_t = 8081)]
    pub(crate) public_port: u16,
    /// The scheme in the addresses of deployments
    #[arg(long, env = "MIKROCLOUD_PUBLIC_SCHEME", default_value = "http", value_parser = ["http", "https"])]
    pub(crate) public_scheme: String,
}

/// `mikrocloud up`
#[derive(Debug, Args)]
pub struct UpOptions {
    #[command(flatten)]
    pub(crate) data: DataDirectory,
    /// The address to listen on
    #[arg(long, env = "MIKROCLOUD_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The domain under which deployments are served
    #[arg(long, env = "MIKROCLOUD_BASE_DOMAIN", default_value = "localhost")]
    pub(crate) base_domain: String,
    /// Number of concurrent builds
    #[arg(long, env = "MIKROCLOUD_BUILDS", default_value_t = BUILD.concurrency, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) builds: u16,
    /// Time for which running jobs may continue after SIGTERM before they are handed back, in seconds
    #[arg(long, env = "MIKROCLOUD_SHUTDOWN_SECONDS", default_value_t = 10)]
    pub(crate) shutdown_seconds: u64,
    #[command(flatten)]
    pub(crate) alerts: AlertOptions,
    #[command(flatten)]
    pub(crate) clouds: CloudOptions,
    #[command(flatten)]
    pub(crate) git_hosts: GitHostOptions,
    #[command(flatten)]
    pub(crate) outgoing: OutgoingOptions,
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
    #[command(flatten)]
    pub(crate) requests: RequestOptions,
    #[command(flatten)]
    pub(crate) address: AddressOptions,
    #[command(flatten)]
    pub(crate) sign_in: SignInOptions,
    #[command(flatten)]
    pub(crate) storage: StorageOptions,
}

/// `mikrocloud migrate`
#[derive(Debug, Args)]
pub struct MigrateOptions {
    #[command(flatten)]
    pub(crate) database: DatabaseOptions,
    /// Public URL of the API, for the sign-in link of the owner
    #[arg(long, env = "MIKROCLOUD_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) public_url: Url,
}

/// `mikrocloud api`
#[derive(Debug, Args)]
pub struct ApiOptions {
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
    /// The address to listen on
    #[arg(long, env = "MIKROCLOUD_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    #[command(flatten)]
    pub(crate) requests: RequestOptions,
    #[command(flatten)]
    pub(crate) address: AddressOptions,
    #[command(flatten)]
    pub(crate) sign_in: SignInOptions,
}

/// `mikrocloud worker`
#[derive(Debug, Args)]
pub struct WorkerOptions {
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
    /// The queues to work on; all when left out
    #[arg(long, env = "MIKROCLOUD_QUEUES", value_delimiter = ',', value_parser = QUEUES)]
    pub(crate) queues: Vec<String>,
    /// Number of jobs of each queue that this process runs concurrently; each queue's own default if omitted
    #[arg(long, env = "MIKROCLOUD_CONCURRENCY", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) concurrency: Option<u16>,
    /// Time for which a job stays with a worker without a heartbeat, in seconds
    #[arg(long, env = "MIKROCLOUD_LEASE_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..=600))]
    pub(crate) lease_seconds: u64,
    /// Address of health checks and metrics
    #[arg(long, env = "MIKROCLOUD_HEALTH_LISTEN", default_value = "127.0.0.1:8082")]
    pub(crate) health_listen: SocketAddr,
    /// Time for which running jobs may continue after SIGTERM before they are handed back, in seconds
    #[arg(long, env = "MIKROCLOUD_SHUTDOWN_SECONDS", default_value_t = 25)]
    pub(crate) shutdown_seconds: u64,
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
}

/// `mikrocloud edge`
#[derive(Debug, Args)]
pub struct EdgeOptions {
    #[command(flatten)]
    pub(crate) cluster: ClusterOptions,
    /// The address to listen on, for visitors and for other edges
    #[arg(long, env = "MIKROCLOUD_LISTEN", default_value = "127.0.0.1:8081")]
    pub(crate) listen: SocketAddr,
    /// Address at which other edges reach this one, as host:port; the listening address if omitted
    #[arg(long, env = "MIKROCLOUD_EDGE_ADDRESS", value_name = "HOST:PORT")]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
}

/// The object store's address; what is wrong with it is said with the variable's name.
fn objects_address(text: &str) -> Result<Url, String> {
    artifacts::parse_address(text).map_err(|error| format!("MIKROCLOUD_OBJECTS: {error}"))
}
