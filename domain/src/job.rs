//! Jobs: work that is written down before it is done.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{JobId, TeamId};
use crate::time::Timestamp;

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum JobState {
    /// Waits for its time and a worker.
    Pending,
    /// A worker holds its lease.
    Running,
    /// It is done.
    Done,
    /// It failed more often than it may; a person has to look.
    Dead,
    /// It was cancelled.
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
    /// Kind of the job, such as `build`, which selects its handler.
    pub kind: String,
    /// The queue it waits in.
    pub queue: String,
    /// Arguments of the job: ids only, with a version.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub payload: serde_json::Value,
    /// Lower runs first.
    pub priority: i64,
    /// Jobs with the same key never run at once.
    pub exclusion_key: Option<String>,
    /// State of the job.
    pub state: JobState,
    /// Not before this time.
    pub run_at: Timestamp,
    /// Number of attempts made so far.
    pub attempts: i64,
    /// Maximum number of attempts.
    pub max_attempts: i64,
    /// Proves that a worker holds it; a new one for every attempt.
    pub lease_token: Option<Uuid>,
    /// Expiry of the lease unless its holder extends it.
    pub lease_until: Option<Timestamp>,
    /// Error of the last failed attempt.
    pub last_error: Option<String>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Start time of the last attempt.
    pub started_at: Option<Timestamp>,
    /// Time at which the job ended for good.
    pub finished_at: Option<Timestamp>,
    /// Worker that took the job last.
    pub worker: Option<String>,
    /// The trace that it belongs to, as a `traceparent`.
    pub trace: Option<String>,
    /// Condition that it waits for before it goes on, if it came back to wait.
    pub waits_for: Option<String>,
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

/// Settings of a queue. `None` means unlimited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct QueueSettings {
    /// Time since which the queue is paused.
    pub paused_at: Option<Timestamp>,
    /// Maximum number of its jobs that run concurrently, over all workers.
    pub concurrency: Option<i64>,
    /// Maximum number of its jobs that run concurrently for one team.
    pub team_concurrency: Option<i64>,
}

/// Fencing token that a worker presents with every write for a job: the write is refused once another worker holds the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    /// The job.
    pub job_id: JobId,
    /// The token of the attempt.
    pub token: Uuid,
}
