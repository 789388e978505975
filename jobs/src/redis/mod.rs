//! The connection to Redis (or Valkey): one server, behind Sentinel, or a Cluster. Nothing that is kept there is needed: it wakes and
//! hints, and counts requests.

mod hints;
mod url;

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::Sentinel;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisFuture, RedisResult, Value,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

pub use hints::relay;
pub(crate) use hints::{HINTS, HintSender, queue_hint};
use url::Topology;
pub use url::{RedisUrl, RedisUrlError};

/// Timeout of connecting, and of a reply.
const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(3);

/// A connection that is made when it is first used, and made anew after it broke. Cheap to clone.
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    servers: Servers,
    /// Name of the server in messages, without credentials.
    shown: String,
    connection: Mutex<Option<Connection>>,
}

/// Servers that provide a connection.
enum Servers {
    One(Client),
    Sentinel { sentinel: Mutex<Sentinel>, master: String, node: Box<redis::sentinel::SentinelNodeConnectionInfo> },
    Cluster { cluster: Box<ClusterClient>, nodes: Vec<Client> },
}

#[derive(Clone)]
enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(&'a mut self, pipeline: &'a Pipeline, offset: usize, count: usize) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

impl Redis {
    /// The Redis at this address. Nothing is connected yet.
    pub fn new(url: &RedisUrl) -> RedisResult<Self> {
        let servers = match url.topology() {
            Topology::One(info) => Servers::One(Client::open(info.clone())?),
            Topology::Sentinel { sentinels, master, credentials } => Servers::Sentinel {
                sentinel: Mutex::new(Sentinel::build(sentinels.clone())?),
                master: master.clone(),
                node: Box::new(credentials.node()),
            },
            Topology::Cluster(nodes) => Servers::Cluster {
                cluster: Box::new(
                    ClusterClient::builder(nodes.clone())
                        .connection_timeout(CONNECT)
                        .response_timeout(ANSWER)
                        .retries(2)
                        .build()?,
                ),
                nodes: nodes.iter().cloned().map(Client::open).collect::<RedisResult<_>>()?,
            },
        };
        Ok(Self { inner: Arc::new(Inner { servers, shown: url.to_string(), connection: Mutex::default() }) })
    }

    /// Waits until it answers. The error says what was waited for and what went wrong last.
    pub async fn wait(&self, deadline: Duration) -> Result<(), String> {
        let until = Instant::now() + deadline;
        let mut said = false;
        loop {
            let error = match self.ping().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // Asking again does not make a password right.
            if Instant::now() >= until || explain_refusal(&error).is_some() {
                return Err(format!("Redis at {} does not answer: {}", self.inner.shown, explain(&error)));
            }
            if !said {
                tracing::info!(redis = self.inner.shown, reason = explain(&error), "waiting for Redis");
                said = true;
            }
            sleep(Duration::from_millis(250)).await;
        }
    }

    /// Checks that Redis answers.
    pub async fn ping(&self) -> RedisResult<()> {
        self.command(&redis::cmd("PING")).await
    }

    /// Runs a command.
    pub async fn command<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        self.with(async |connection| command.query_async(connection).await).await
    }

    /// Runs several commands in one round trip.
    pub async fn pipeline<T: FromRedisValue>(&self, pipeline: &Pipeline) -> RedisResult<T> {
        self.with(async |connection| pipeline.query_async(connection).await).await
    }

    /// Runs a script.
    pub async fn script<T: FromRedisValue>(&self, call: &redis::ScriptInvocation<'_>) -> RedisResult<T> {
        self.with(async |connection| call.invoke_async(connection).await).await
    }

    /// A connection that hears what is published on a channel.
    pub async fn subscribe(&self, channel: &str) -> RedisResult<PubSub> {
        let client = match &self.inner.servers {
            Servers::One(client) => client.clone(),
            Servers::Sentinel { sentinel, master, node } => sentinel.lock().await.async_master_for(master, Some(node)).await?,
            // Every node passes on to all others what is published.
            Servers::Cluster { nodes, .. } => first_that_answers(nodes).await?,
        };
        let mut heard = timeout(CONNECT, client.get_async_pubsub()).await.map_err(|_| timed_out())??;
        heard.subscribe(channel).await?;
        Ok(heard)
    }

    async fn with<T>(&self, work: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>) -> RedisResult<T> {
        let mut connection = self.connection().await?;
        // The connection has a deadline of its own, but not while it makes itself anew.
        let done = timeout(ANSWER + CONNECT, work(&mut connection)).await.unwrap_or_else(|_| Err(timed_out()));
        if let Err(error) = &done
            && (error.is_unrecoverable_error() || error.is_io_error() || error.is_timeout())
        {
            // A cluster's connection looks for its nodes by itself.
            if matches!(connection, Connection::One(_)) {
                *self.inner.connection.lock().await = None;
            }
        }
        done
    }

    async fn connection(&self) -> RedisResult<Connection> {
        let mut kept = self.inner.connection.lock().await;
        if let Some(connection) = &*kept {
            return Ok(connection.clone());
        }
        let connection = timeout(CONNECT, self.connect()).await.map_err(|_| timed_out())??;
        *kept = Some(connection.clone());
        Ok(connection)
    }

    async fn connect(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER));
        Ok(match &self.inner.servers {
            Servers::One(client) => Connection::One(client.get_multiplexed_async_connection_with_config(&config).await?),
            Servers::Sentinel { sentinel, master, node } => {
                let client = sentinel.lock().await.async_master_for(master, Some(node)).await?;
                Connection::One(client.get_multiplexed_async_connection_with_config(&config).await?)
            }
            Servers::Cluster { cluster, .. } => Connection::Cluster(cluster.get_async_connection().await?),
        })
    }
}

async fn first_that_answers(nodes: &[Client]) -> RedisResult<Client> {
    let mut last = timed_out();
    for node in nodes {
        match timeout(CONNECT, node.get_multiplexed_async_connection()).await {
            Ok(Ok(_)) => return Ok(node.clone()),
            Ok(Err(error)) => last = error,
            Err(_) => {}
        }
    }
    Err(last)
}

fn timed_out() -> RedisError {
    RedisError::from((ErrorKind::Io, "no answer in time"))
}

/// Explains an error to the person who set the address.
fn explain(error: &RedisError) -> String {
    explain_refusal(error).map_or_else(|| error.to_string(), str::to_owned)
}

/// Explains a refusal of these credentials.
fn explain_refusal(error: &RedisError) -> Option<&'static str> {
    let text = error.to_string();
    if text.contains("NOAUTH") {
        return Some("it asks for a password: put it into the URL, as redis://:PASSWORD@host:6379");
    }
    let refused = error.kind() == ErrorKind::AuthenticationFailed || text.contains("WRONGPASS");
    refused.then_some("it refuses the user name or the password in the URL")
}
