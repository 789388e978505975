//! The queues that are compared: programs that fill a queue, feed it at a pace, and work it off.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection};
use testkit::{PostgresServer, Redis};

/// The servers that all of them use.
pub struct Servers {
    pub postgres: PostgresServer,
    pub redis: Redis,
}

impl Servers {
    /// Starts them, `PostgreSQL` with its default durability.
    pub fn start() -> Result<Self> {
        Ok(Self {
            postgres: PostgresServer::start_durable().context("PostgreSQL is not installed")?,
            redis: Redis::start().context("Redis is not installed")?,
        })
    }

    fn database(&self) -> String {
        self.postgres.url_at(self.postgres.port())
    }

    async fn count(&self, sql: &'static str) -> Result<i64> {
        let mut connection = PgConnection::connect(&self.database()).await?;
        let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(count)
    }
}

/// A job queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// Rows in `PostgreSQL`, woken through Redis.
    Mikrocloud,
    /// Rows in `PostgreSQL`; fetched one by one as it comes, or in batches of this size, which a worker that dies keeps locked for hours.
    Graphile { batch: u32 },
    /// Redis alone, which here keeps nothing on disk.
    Bullmq,
}

impl Contender {
    /// Returns the name in the table.
    pub fn name(self) -> String {
        match self {
            Self::Mikrocloud => "MikroCloud".to_owned(),
            Self::Graphile { batch: 0 } => "graphile-worker".to_owned(),
            Self::Graphile { batch } => format!("graphile-worker, batches of {batch}"),
            Self::Bullmq => "BullMQ, nothing on disk".to_owned(),
        }
    }

    /// Its program: `fill COUNT`, `pace COUNT` or `work FILE CONCURRENCY`.
    pub fn command(self, servers: &Servers, verb: &str, arguments: &[&str]) -> Result<Command> {
        let mut command = match self {
            Self::Mikrocloud => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("queue").arg(verb).args([servers.database(), servers.redis.url()]);
                command
            }
            Self::Graphile { .. } => script("graphile.mjs", verb, &servers.database()),
            Self::Bullmq => script("bullmq.mjs", verb, &servers.redis.port().to_string()),
        };
        command.args(arguments);
        if let Self::Graphile { batch } = self {
            command.env("BATCH", batch.to_string());
        }
        Ok(command)
    }

    /// Returns the number of jobs that are not done yet.
    pub async fn left(self, servers: &Servers) -> Result<i64> {
        match self {
            Self::Mikrocloud => servers.count("SELECT count(*) FROM jobs WHERE state <> 'done'").await,
            Self::Graphile { .. } => servers.count("SELECT count(*) FROM graphile_worker._private_jobs").await,
            Self::Bullmq => {
                let script = "return redis.call('LLEN', 'bull:bench:wait') + redis.call('LLEN', 'bull:bench:active')";
                Ok(servers.redis.run(&["EVAL", script, "0"]).parse()?)
            }
        }
    }
}

fn script(name: &str, verb: &str, server: &str) -> Command {
    let scripts: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("queues");
    let mut command = Command::new("node");
    command.arg(scripts.join(name)).arg(verb).arg(server).env("NODE_ENV", "production").env("NO_LOG_SUCCESS", "1");
    command
}
