//! Queues in Redis: per team a sorted set of ids, and a ring of the teams that have one waiting.

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::id::JobId;
use domain::job::DueJob;
use redis::{RedisResult, Script};
use tokio::sync::mpsc;

use super::{LocalQueues, push_locally};
use crate::redis::{HINTS, Redis, queue_hint};

/// Maximum number of wake-ups that wait for Redis; further ones are left to the sweeper.
const WAITING: usize = 65_536;
/// Maximum number of wake-ups that are sent to Redis at once.
const BATCH: usize = 256;

static PUSH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("push.lua")));
static POP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("pop.lua")));

/// The queues in Redis. Cheap to clone.
#[derive(Clone)]
pub(super) struct RemoteQueues {
    redis: Redis,
    sender: mpsc::Sender<(String, DueJob)>,
}

impl RemoteQueues {
    /// Starts the task that pushes. What cannot be pushed goes to the queues of this process.
    pub fn start(redis: Redis, local: LocalQueues) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(push_all(redis.clone(), local, receiver));
        Self { redis, sender }
    }

    /// Pushes a job, now or soon. When too many wait, it is left to the sweeper.
    pub fn push(&self, queue: &str, job: DueJob) {
        if self.sender.try_send((queue.to_owned(), job)).is_err() {
            tracing::debug!(queue, job.id = %job.id, "too many wake-ups wait for Redis; the sweeper wakes for this job");
        }
    }

    /// The next job of a queue: the most urgent, then oldest, of the team whose turn it is.
    pub async fn pop(&self, queue: &str) -> RedisResult<Option<JobId>> {
        let mut call = POP.prepare_invoke();
        call.key(ring_key(queue)).key(turn_key(queue)).arg(team_prefix(queue));
        let id: Option<String> = self.redis.script(&call).await?;
        // Whatever else stands there is not ours: forgotten.
        Ok(id.and_then(|id| id.parse().ok()))
    }
}

/// Pushes what comes in, in batches.
async fn push_all(redis: Redis, local: LocalQueues, mut receiver: mpsc::Receiver<(String, DueJob)>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        let mut queues: HashMap<String, Vec<DueJob>> = HashMap::new();
        for (queue, job) in batch.drain(..) {
            queues.entry(queue).or_default().push(job);
        }
        for (queue, jobs) in queues {
            if let Err(error) = push(&redis, &queue, &jobs).await {
                tracing::debug!(queue, %error, "Redis takes no jobs; the workers of this process and the sweeper do");
                for job in jobs {
                    push_locally(&local, &queue, job);
                }
            }
        }
    }
}

async fn push(redis: &Redis, queue: &str, jobs: &[DueJob]) -> RedisResult<()> {
    let mut call = PUSH.prepare_invoke();
    call.key(ring_key(queue)).key(turn_key(queue)).arg(team_prefix(queue)).arg(HINTS).arg(queue_hint(queue));
    for job in jobs {
        call.arg(job.team_id.uuid().simple().to_string()).arg(job.priority).arg(job.id.to_string());
    }
    redis.script(&call).await
}

// The braces keep the keys of one queue in one slot of a Redis Cluster, so that a script may touch them together.

fn ring_key(queue: &str) -> String {
    format!("mikrocloud:{{{queue}}}:ring")
}

fn turn_key(queue: &str) -> String {
    format!("mikrocloud:{{{queue}}}:turn")
}

fn team_prefix(queue: &str) -> String {
    format!("mikrocloud:{{{queue}}}:team:")
}
