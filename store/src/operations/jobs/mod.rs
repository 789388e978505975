//! Jobs. A claim is one compare-and-set; every write of a worker goes through a fence.

use domain::id::{JobId, TeamId};
use domain::job::{DueJob, Fence, Job, JobState};
use domain::time::{Timestamp, now};
use domain::trace::TraceContext;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{Db, Store, Tx};
use crate::error::{Result, StoreError, expect_one};
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, team_id, kind, queue, payload, priority, exclusion_key, state, run_at, attempts, max_attempts, lease_token, lease_until, \
         last_error, created_at, started_at, finished_at, worker, trace, waits_for"
    };
}

/// Condition under which the settings of a job's queue let it start now.
macro_rules! may_start {
    () => {
        "NOT EXISTS (SELECT 1 FROM queues WHERE queues.name = jobs.queue AND (queues.paused_at IS NOT NULL
            OR queues.concurrency <= (SELECT COUNT(*) FROM jobs r WHERE r.queue = jobs.queue AND r.state = 'running')
            OR queues.team_concurrency <=
                (SELECT COUNT(*) FROM jobs r WHERE r.queue = jobs.queue AND r.state = 'running' AND r.team_id = jobs.team_id)))"
    };
}

mod batches;

pub use batches::JobBatches;

/// A job to be written in the transaction of the change that causes it.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Identity.
    pub id: JobId,
    /// The team it works for.
    pub team_id: TeamId,
    /// Kind of the job, which selects its handler.
    pub kind: &'static str,
    /// The queue it waits in.
    pub queue: &'static str,
    /// Arguments of the job, as a JSON object.
    pub payload: Value,
    /// The entity it moves forward.
    pub subject_id: Option<Uuid>,
    /// Lower runs first.
    pub priority: i64,
    /// Jobs with the same key never run at once.
    pub exclusion_key: Option<String>,
    /// Of jobs with the same key one waits or runs: writing another does nothing.
    pub deduplication_key: Option<String>,
    /// Not before this time.
    pub run_at: Timestamp,
    /// Maximum number of attempts.
    pub max_attempts: i64,
    /// The trace that it belongs to.
    pub trace: TraceContext,
}

impl NewJob {
    /// Returns the values that decide the order of jobs.
    pub fn due(&self) -> DueJob {
        DueJob { id: self.id, team_id: self.team_id, priority: self.priority }
    }
}

/// A worker's hand on a job.
#[derive(Debug, Clone)]
pub struct JobClaim<'a> {
    /// Proves the hold; new for every attempt.
    pub token: Uuid,
    /// Expiry of the lease unless it is extended.
    pub lease_until: Timestamp,
    /// Name of the worker, for people.
    pub worker: &'a str,
    /// Indicates that the queue has limits that two concurrent claims must not exceed together.
    pub is_limited: bool,
}

/// Return of a job whose handler has done what can be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspended {
    /// Time from which the job runs again.
    pub until: Timestamp,
    /// It keeps its exclusion key meanwhile, so that no other job with the key runs in between.
    pub holds: bool,
    /// Condition that it waits for, for people.
    pub waits_for: String,
}

/// Treatment of a job whose handler failed.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Description of the failure.
    pub error: String,
    /// Time of the retry; `None` puts it into the dead set.
    pub retry_at: Option<Timestamp>,
}

/// Filter of jobs. `None` matches everything.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Of this queue.
    pub queue: Option<String>,
    /// In this state.
    pub state: Option<JobState>,
}

/// Failure of one attempt of a job.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct JobFailure {
    /// Number of the attempt, from 1.
    pub attempt: i64,
    /// Worker that made the attempt.
    pub worker: Option<String>,
    /// Description of the failure.
    pub error: String,
    /// Time of the event.
    pub at: Timestamp,
}

impl Store {
    /// A page of the team's jobs, newest first.
    pub async fn job_list(&self, team: TeamId, filter: &JobFilter, after: Option<JobId>, limit: i64) -> Result<Page<Job>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM jobs WHERE team_id = $1 AND (CAST($2 AS TEXT) IS NULL OR queue = $2) AND (CAST($3 AS TEXT) IS NULL OR state = $3)
              AND (CAST($4 AS UUID) IS NULL OR id < $4) ORDER BY id DESC LIMIT $5 + 1"
        );
        let rows = db!(self, |pool| sqlx::query_as(sql)
            .bind(team)
            .bind(&filter.queue)
            .bind(filter.state)
            .bind(after)
            .bind(limit)
            .fetch_all(pool)
            .await)?;
        Ok(Page::from_rows(rows, limit))
    }

    /// Lists the failures of a job's attempts, the oldest first.
    pub async fn job_failure_list(&self, team: TeamId, id: JobId) -> Result<Vec<JobFailure>> {
        let sql = "SELECT f.attempt, f.worker, f.error, f.at FROM job_failures f JOIN jobs j ON j.id = f.job_id
            WHERE j.team_id = $1 AND j.id = $2 ORDER BY f.at";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_all(pool).await)?)
    }

    /// A job of the team.
    pub async fn job_get(&self, team: TeamId, id: JobId) -> Result<Option<Job>> {
        let sql = concat!("SELECT ", columns!(), " FROM jobs WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// Returns the number of jobs of the same kind and queue, of all teams, that come before a subject's own: those that run, and those
    /// that wait with an earlier turn. `None` if it has no job of this kind that waits.
    pub async fn job_count_before(&self, team: TeamId, subject: Uuid, kind: &str) -> Result<Option<i64>> {
        let sql = "SELECT (SELECT COUNT(*) FROM jobs other WHERE other.queue = own.queue AND other.kind = own.kind AND other.id <> own.id
                AND (other.state = 'running' OR (other.state = 'pending'
                    AND (other.priority, other.run_at, other.id) < (own.priority, own.run_at, own.id))))
            FROM jobs own WHERE own.team_id = $1 AND own.subject_id = $2 AND own.kind = $3 AND own.state = 'pending'";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(subject).bind(kind).fetch_optional(pool).await)?)
    }

    /// Jobs of a queue that could run at this moment: the most urgent of each team first, then the next of each.
    pub async fn job_list_due(&self, queue: &str, at: Timestamp, limit: i64) -> Result<Vec<DueJob>> {
        let sql = concat!(
            "SELECT id, team_id, priority FROM (
                SELECT id, team_id, priority, run_at, ROW_NUMBER() OVER (PARTITION BY team_id ORDER BY priority, run_at, id) AS turn
                FROM jobs WHERE queue = $1 AND state = 'pending' AND run_at <= $2
                AND (exclusion_key IS NULL OR NOT EXISTS
                    (SELECT 1 FROM jobs other WHERE other.exclusion_key = jobs.exclusion_key AND other.id <> jobs.id
                        AND (other.state = 'running' OR (other.state = 'pending' AND other.suspended_at IS NOT NULL))))
                AND ",
            may_start!(),
            ") waiting ORDER BY turn, priority, run_at, id LIMIT $3 + 0"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(queue).bind(at).bind(limit).fetch_all(pool).await)?)
    }

    /// The first job that waited for the end of another with its exclusion key.
    pub async fn job_next_excluded(&self, exclusion_key: &str, at: Timestamp) -> Result<Option<DueJob>> {
        let sql = "SELECT id, team_id, priority FROM jobs WHERE exclusion_key = $1 AND state = 'pending' AND run_at <= $2
            AND NOT EXISTS (SELECT 1 FROM jobs other WHERE other.exclusion_key = $1 AND other.id <> jobs.id
                AND other.state = 'pending' AND other.suspended_at IS NOT NULL)
            ORDER BY priority, run_at, id LIMIT 1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(exclusion_key).bind(at).fetch_optional(pool).await)?)
    }

    /// Returns the number of jobs of all teams in each state, per queue. For metrics.
    pub async fn job_state_counts(&self) -> Result<Vec<(String, JobState, i64)>> {
        let sql = "SELECT queue, state, COUNT(*) FROM jobs GROUP BY queue, state";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }

    /// Takes a job: `None` when it is not pending, not due, a job with the same exclusion key runs, or its queue lets no more run.
    pub async fn job_claim(&self, id: JobId, claim: &JobClaim<'_>) -> Result<Option<Job>> {
        let sql = concat!(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_token = $2, lease_until = $3, started_at = $4, worker = $5
             WHERE id = $1 AND state = 'pending' AND run_at <= $4 AND ",
            may_start!(),
            " RETURNING ",
            columns!()
        );
        let claimed = match &self.db {
            // One statement needs no transaction around it.
            Db::Postgres(pool) if !claim.is_limited => {
                let query = sqlx::query_as(sql).bind(id).bind(claim.token).bind(claim.lease_until).bind(now()).bind(claim.worker);
                query.fetch_optional(pool).await
            }
            _ => {
                let mut tx = self.begin().await?;
                tx.queue_lock(id).await?;
                let claimed = tx!(tx, |conn| sqlx::query_as(sql)
                    .bind(id)
                    .bind(claim.token)
                    .bind(claim.lease_until)
                    .bind(now())
                    .bind(claim.worker)
                    .fetch_optional(conn)
                    .await);
                if claimed.is_ok() {
                    tx.commit().await?;
                }
                claimed
            }
        };
        match claimed.map_err(StoreError::from) {
            // The unique index on running exclusion keys.
            Err(StoreError::Exists) => Ok(None),
            claimed => claimed,
        }
    }

    /// Extends a lease; `false` when it is lost.
    pub async fn job_extend(&self, fence: Fence, lease_until: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'";
        let done = tx!(tx, |conn| sqlx::query(sql)
            .bind(fence.job_id)
            .bind(fence.token)
            .bind(lease_until)
            .execute(conn)
            .await
            .map(|d| d.rows_affected()))?;
        tx.commit().await?;
        Ok(done == 1)
    }
}

impl Tx {
    /// Writes a job; `false` when one with its deduplication key waits or runs already.
    pub async fn job_insert(&mut self, job: &NewJob) -> Result<bool> {
        let sql =
            "INSERT INTO jobs (id, team_id, kind, queue, payload, subject_id, priority, exclusion_key, state, run_at, attempts,
                max_attempts, created_at, deduplication_key, trace)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, 0, $10, $11, $12, $13)
            ON CONFLICT (deduplication_key) WHERE state IN ('pending', 'running') DO NOTHING";
        let written = changed!(
            self,
            sqlx::query(sql)
                .bind(job.id)
                .bind(job.team_id)
                .bind(job.kind)
                .bind(job.queue)
                .bind(Json(&job.payload))
                .bind(job.subject_id)
                .bind(job.priority)
                .bind(&job.exclusion_key)
                .bind(job.run_at)
                .bind(job.max_attempts)
                .bind(now())
                .bind(&job.deduplication_key)
                .bind(job.trace.to_string())
        )?;
        Ok(written == 1)
    }

    /// Refuses the whole transaction unless the lease still stands. The row stays locked until the transaction ends, so the lease
    /// cannot pass to another worker before this one's writes are in.
    pub async fn job_fence(&mut self, fence: Fence) -> Result<()> {
        let sql = "UPDATE jobs SET state = 'running' WHERE id = $1 AND lease_token = $2 AND state = 'running'";
        let done = changed!(self, sqlx::query(sql).bind(fence.job_id).bind(fence.token))?;
        expect_one(done, StoreError::LeaseLost)
    }

    /// Ends a job well.
    pub async fn job_finish(&mut self, fence: Fence) -> Result<()> {
        let sql = "UPDATE jobs SET state = 'done', finished_at = $3, lease_token = NULL, lease_until = NULL, last_error = NULL
            WHERE id = $1 AND lease_token = $2 AND state = 'running'";
        let done = changed!(self, sqlx::query(sql).bind(fence.job_id).bind(fence.token).bind(now()))?;
        expect_one(done, StoreError::LeaseLost)
    }

    /// Records that a handler failed.
    pub async fn job_fail(&mut self, fence: Fence, failed: &Failed) -> Result<()> {
        let history = "INSERT INTO job_failures (job_id, attempt, worker, error, at)
            SELECT id, attempts, worker, $2, $3 FROM jobs WHERE id = $1";
        tx!(self, |conn| sqlx::query(history).bind(fence.job_id).bind(&failed.error).bind(now()).execute(conn).await.map(drop))?;
        let sql =
            "UPDATE jobs SET state = $3, run_at = COALESCE($4, run_at), finished_at = $5, lease_token = NULL, lease_until = NULL,
            last_error = $6 WHERE id = $1 AND lease_token = $2 AND state = 'running'";
        let state = if failed.retry_at.is_some() { JobState::Pending } else { JobState::Dead };
        let finished_at = failed.retry_at.is_none().then(now);
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(fence.job_id)
                .bind(fence.token)
                .bind(state)
                .bind(failed.retry_at)
                .bind(finished_at)
                .bind(&failed.error)
        )?;
        expect_one(done, StoreError::LeaseLost)
    }

    /// Gives a job back untried: a worker that shuts down does not use up one of its attempts.
    pub async fn job_hand_back(&mut self, fence: Fence) -> Result<()> {
        let sql = "UPDATE jobs SET state = 'pending', attempts = attempts - 1, lease_token = NULL, lease_until = NULL
            WHERE id = $1 AND lease_token = $2 AND state = 'running'";
        let done = changed!(self, sqlx::query(sql).bind(fence.job_id).bind(fence.token))?;
        expect_one(done, StoreError::LeaseLost)
    }

    /// Lets a job come back later. It got on, so its attempts count anew: one that kills its worker each time still runs out of them.
    pub async fn job_suspend(&mut self, fence: Fence, suspended: &Suspended) -> Result<()> {
        let sql = "UPDATE jobs SET state = 'pending', run_at = $3, attempts = 0, lease_token = NULL, lease_until = NULL, last_error = NULL,
            suspended_at = $4, waits_for = $5 WHERE id = $1 AND lease_token = $2 AND state = 'running'";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(fence.job_id)
                .bind(fence.token)
                .bind(suspended.until)
                .bind(suspended.holds.then(now))
                .bind(&suspended.waits_for)
        )?;
        expect_one(done, StoreError::LeaseLost)
    }

    /// Cancels what waits or runs for an entity and returns what was cancelled; a worker that runs it finds its lease lost.
    pub async fn job_cancel_subject(&mut self, team: TeamId, subject: Uuid) -> Result<Vec<JobId>> {
        let sql = "UPDATE jobs SET state = 'cancelled', finished_at = $3, lease_token = NULL, lease_until = NULL
            WHERE team_id = $1 AND subject_id = $2 AND state IN ('pending', 'running') RETURNING id";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(subject).bind(now()).fetch_all(conn).await)?)
    }

    /// Takes back jobs whose lease ran out before this moment: pending again, or dead when they used up their attempts.
    /// Returns those that are pending again.
    pub async fn job_reclaim(&mut self, expired_before: Timestamp) -> Result<Vec<JobId>> {
        let history = "INSERT INTO job_failures (job_id, attempt, worker, error, at)
            SELECT id, attempts, worker, 'the worker gave no sign of life any more', $2 FROM jobs
            WHERE state = 'running' AND lease_until < $1";
        tx!(self, |conn| sqlx::query(history).bind(expired_before).bind(now()).execute(conn).await.map(drop))?;
        let dead = "UPDATE jobs SET state = 'dead', finished_at = $2, lease_token = NULL, lease_until = NULL,
            last_error = COALESCE(last_error, 'the worker that ran it died each time')
            WHERE state = 'running' AND lease_until < $1 AND attempts >= max_attempts";
        tx!(self, |conn| sqlx::query(dead).bind(expired_before).bind(now()).execute(conn).await.map(drop))?;
        let again = "UPDATE jobs SET state = 'pending', lease_token = NULL, lease_until = NULL
            WHERE state = 'running' AND lease_until < $1 RETURNING id";
        Ok(tx!(self, |conn| sqlx::query_scalar(again).bind(expired_before).fetch_all(conn).await)?)
    }

    /// Gives a dead job all its attempts again; `false` when it is not dead.
    pub async fn job_retry(&mut self, team: TeamId, id: JobId, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE jobs SET state = 'pending', attempts = 0, run_at = $3, finished_at = NULL, suspended_at = NULL
            WHERE team_id = $1 AND id = $2 AND state = 'dead'";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(at))?;
        Ok(done == 1)
    }

    /// Cancels a job that waits, or ends a dead one; `false` when it is neither.
    pub async fn job_discard(&mut self, team: TeamId, id: JobId) -> Result<bool> {
        let sql = "UPDATE jobs SET state = 'cancelled', finished_at = $3
            WHERE team_id = $1 AND id = $2 AND state IN ('pending', 'dead')";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(now()))?;
        Ok(done == 1)
    }

    /// Deletes jobs that ended before this moment, except dead ones, which a person has to look at.
    pub async fn job_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM jobs WHERE finished_at < $1 AND state IN ('done', 'cancelled')";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
