//! Queues as operators set them.

use domain::id::JobId;
use domain::job::QueueSettings;
use domain::time::Timestamp;

use crate::db::{Open, Store, Tx};
use crate::error::Result;

impl Store {
    /// Returns the settings of a queue.
    pub async fn queue_get(&self, name: &str) -> Result<QueueSettings> {
        let sql = "SELECT paused_at, concurrency, team_concurrency FROM queues WHERE name = $1";
        let settings: Option<QueueSettings> = db!(self, |pool| sqlx::query_as(sql).bind(name).fetch_optional(pool).await)?;
        Ok(settings.unwrap_or_default())
    }
}

/// Statistics of a queue, over all teams.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct QueueStats {
    /// Its name.
    pub name: String,
    /// Number of jobs that are due and wait for a worker.
    pub waiting: i64,
    /// Number of jobs that wait for their due time.
    pub delayed: i64,
    /// Number of running jobs.
    pub running: i64,
    /// Number of dead jobs.
    pub dead: i64,
    /// Time since which the oldest due job has waited.
    pub oldest_due_at: Option<Timestamp>,
}

impl Store {
    /// Returns the statistics of each queue that has jobs at a moment.
    pub async fn queue_stats(&self, at: Timestamp) -> Result<Vec<QueueStats>> {
        let sql = "SELECT queue AS name,
                COUNT(CASE WHEN state = 'pending' AND run_at <= $1 THEN 1 END) AS waiting,
                COUNT(CASE WHEN state = 'pending' AND run_at > $1 THEN 1 END) AS delayed,
                COUNT(CASE WHEN state = 'running' THEN 1 END) AS running,
                COUNT(CASE WHEN state = 'dead' THEN 1 END) AS dead,
                MIN(CASE WHEN state = 'pending' AND run_at <= $1 THEN run_at END) AS oldest_due_at
            FROM jobs WHERE state IN ('pending', 'running', 'dead') GROUP BY queue ORDER BY queue";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(at).fetch_all(pool).await)?)
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
