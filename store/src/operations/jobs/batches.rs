//! Many claims, or many ends, in one statement: on `PostgreSQL` each statement waits for the disk once.

use std::collections::HashSet;

use domain::id::JobId;
use domain::job::{Fence, Job};
use domain::time::{Timestamp, now};
use sqlx::PgPool;
use uuid::Uuid;

use crate::db::{Db, Store};
use crate::error::Result;

/// The store of an installation of many processes, which writes jobs in batches. SQLite waits for no network, and batches gain nothing.
#[derive(Clone)]
pub struct JobBatches {
    pool: PgPool,
}

impl Store {
    /// Batches, where the database gains from them.
    pub fn job_batches(&self) -> Option<JobBatches> {
        match &self.db {
            Db::Postgres(pool) => Some(JobBatches { pool: pool.clone() }),
            Db::Sqlite { .. } => None,
        }
    }
}

impl JobBatches {
    /// Takes those of these jobs that are free, that no other job excludes, and that nobody else is taking at this moment. The others are to
    /// be claimed one by one.
    pub async fn claim(&self, wanted: &[Fence], lease_until: Timestamp, worker: &str) -> Result<Vec<Job>> {
        // Looked up one by one: the planner, which knows neither how many are wanted nor how many wait, would go through all that wait.
        let sql = concat!(
            "WITH held AS (
                SELECT free.id AS job, wanted.token FROM UNNEST($1::UUID[], $2::UUID[]) AS wanted(job, token)
                CROSS JOIN LATERAL (
                    SELECT id FROM jobs WHERE id = wanted.job AND state = 'pending' AND run_at <= $4 AND exclusion_key IS NULL AND ",
            may_start!(),
            " LIMIT 1 FOR UPDATE SKIP LOCKED) free)
            UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_token = held.token, lease_until = $3, started_at = $4, worker = $5
            FROM held WHERE id = held.job RETURNING ",
            columns!()
        );
        let (ids, tokens) = split(wanted);
        let query = sqlx::query_as(sql).bind(ids).bind(tokens).bind(lease_until).bind(now()).bind(worker);
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Ends jobs well, and returns those whose lease still stood.
    pub async fn finish(&self, fences: &[Fence]) -> Result<HashSet<JobId>> {
        // In one order, so that two who do this with the same jobs do not wait for each other.
        let sql = "WITH held AS (
                SELECT jobs.id AS job FROM UNNEST($1::UUID[], $2::UUID[]) AS shown(job, token)
                JOIN jobs ON jobs.id = shown.job AND jobs.lease_token = shown.token
                WHERE state = 'running' ORDER BY jobs.id FOR UPDATE OF jobs)
            UPDATE jobs SET state = 'done', finished_at = $3, lease_token = NULL, lease_until = NULL, last_error = NULL
            FROM held WHERE id = held.job RETURNING id";
        let (ids, tokens) = split(fences);
        let done: Vec<JobId> = sqlx::query_scalar(sql).bind(ids).bind(tokens).bind(now()).fetch_all(&self.pool).await?;
        Ok(done.into_iter().collect())
    }
}

fn split(fences: &[Fence]) -> (Vec<Uuid>, Vec<Uuid>) {
    fences.iter().map(|fence| (fence.job_id.uuid(), fence.token)).unzip()
}
