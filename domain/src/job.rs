//! Jobs: work that is written down before it is done.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{JobId, TeamId};
use crate::time::Timestamp;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
pub enum JobState {
    /// Waits for its time and a worker.
    Pending,
    /// A worker holds its lease.
    Running,
    /// It is done.
    Done,
    /// It failed more often than it may; a person has to look.
    Dead,
    /// It was called off.
    Cancelled,
}

/// A job as the database keeps it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Job {
    /// Identity.
    pub id: JobId,
    /// The team it works for.
    pub team_id: TeamId,
    /// Which handler runs it, such as `build`.
    pub kind: String,
    /// The queue it waits in.
    pub queue: String,
    /// What to do: ids only, with a version.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub payload: serde_json::Value,
    /// Lower runs first.
    pub priority: i64,
    /// Jobs with the same key never run at once.
    pub exclusion_key: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// Not before this time.
    pub run_at: Timestamp,
    /// How often a worker took it.
    pub attempts: i64,
    /// How often a worker may take it.
    pub max_attempts: i64,
    /// Proves that a worker holds it; a new one for every attempt.
    pub lease_token: Option<Uuid>,
    /// When the lease runs out unless its holder extends it.
    pub lease_until: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When a worker took it last.
    pub started_at: Option<Timestamp>,
    /// When it ended for good.
    pub finished_at: Option<Timestamp>,
    /// Which worker took it last.
    pub worker: Option<String>,
    /// The trace that it belongs to, as a `traceparent`.
    pub trace: Option<String>,
}

/// A job that waits for a worker: what decides whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct DueJob {
    /// Identity; ids sort by age.
    pub id: JobId,
    /// The team it works for; teams take turns.
    pub team_id: TeamId,
    /// Lower runs first.
    pub priority: i64,
}

/// How a queue is run. What is `None` is unlimited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct QueueSettings {
    /// Since when nothing is taken from it.
    pub paused_at: Option<Timestamp>,
    /// How many of its jobs run at once, over all workers.
    pub concurrency: Option<i64>,
    /// How many of its jobs run at once for one team.
    pub team_concurrency: Option<i64>,
}

/// What a worker shows with every write it makes for a job: the write is refused once the lease is another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The job.
    pub job_id: JobId,
    /// The token of the attempt.
    pub token: Uuid,
}
