//! Queues as operators set them.

use domain::id::JobId;
use domain::job::QueueSettings;

use crate::db::{Open, Store, Tx};
use crate::error::Result;

impl Store {
    /// How a queue is run.
    pub async fn queue_get(&self, name: &str) -> Result<QueueSettings> {
        let sql = "SELECT paused_at, concurrency, team_concurrency FROM queues WHERE name = $1";
        let settings: Option<QueueSettings> = db!(self, |pool| sqlx::query_as(sql).bind(name).fetch_optional(pool).await)?;
        Ok(settings.unwrap_or_default())
    }
}

impl Tx {
    /// Records how a queue is run.
    pub async fn queue_put(&mut self, name: &str, settings: &QueueSettings) -> Result<()> {
        let sql = "INSERT INTO queues (name, paused_at, concurrency, team_concurrency) VALUES ($1, $2, $3, $4)
            ON CONFLICT (name) DO UPDATE SET paused_at = excluded.paused_at, concurrency = excluded.concurrency,
                team_concurrency = excluded.team_concurrency";
        tx!(self, |conn| sqlx::query(sql)
            .bind(name)
            .bind(settings.paused_at)
            .bind(settings.concurrency)
            .bind(settings.team_concurrency)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Lets nobody else claim jobs of this job's queue until the transaction ends. SQLite has one writer anyway.
    pub(crate) async fn queue_lock(&mut self, job: JobId) -> Result<()> {
        if let Open::Postgres(open) = &mut self.0 {
            let sql = "SELECT name FROM queues WHERE name = (SELECT queue FROM jobs WHERE id = $1) FOR UPDATE";
            sqlx::query(sql).bind(job).execute(&mut **open).await?;
        }
        Ok(())
    }
}
