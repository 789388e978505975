//! Wakes apalis workers for jobs, within the process or through Redis. What is lost here the sweeper finds again.

mod backend;
mod fair;
mod local;
mod remote;

use std::collections::HashMap;
use std::sync::Arc;

use domain::job::DueJob;
use tokio::sync::Semaphore;

use crate::redis::Redis;
use local::LocalQueue;
use remote::RemoteQueues;

pub use backend::QueueBackend;

/// The ids that wait, per queue. Cheap to clone.
#[derive(Clone)]
pub struct Wakeups {
    local: LocalQueues,
    remote: Option<RemoteQueues>,
}

/// The queues that this process works on.
type LocalQueues = Arc<HashMap<&'static str, Arc<LocalQueue>>>;

impl Wakeups {
    /// Queues within this process, which works on these.
    pub fn new(queues: &[&'static str]) -> Self {
        let local = queues.iter().map(|name| (*name, Arc::default())).collect();
        Self { local: Arc::new(local), remote: None }
    }

    /// Queues in Redis; this process works on these, which may be none. Must be called within a runtime.
    pub fn over_redis(queues: &[&'static str], redis: &Redis) -> Self {
        let Self { local, .. } = Self::new(queues);
        let remote = RemoteQueues::start(redis.clone(), Arc::clone(&local));
        Self { local, remote: Some(remote) }
    }

    /// Wakes a worker for a job. Call it after the transaction that wrote the job is committed.
    pub fn push(&self, queue: &str, job: DueJob) {
        match &self.remote {
            Some(remote) => remote.push(queue, job),
            None => push_locally(&self.local, queue, job),
        }
    }

    /// Tells the workers of this process that a queue in Redis has something; `None` stands for any queue.
    pub fn ring(&self, queue: Option<&str>) {
        match queue {
            Some(queue) => self.local.get(queue).into_iter().for_each(|queue| queue.ring()),
            None => self.local.values().for_each(|queue| queue.ring()),
        }
    }

    /// Ends every queue of this process: workers finish what they run and take nothing new.
    pub fn close(&self) {
        self.local.values().for_each(|queue| queue.close());
    }

    /// The apalis backend of one queue, which takes jobs from Redis as slots are free; `None` for a queue that this process does not
    /// work on.
    pub fn backend(&self, queue: &str, slots: Arc<Semaphore>) -> Option<QueueBackend> {
        let (name, local) = self.local.get_key_value(queue)?;
        Some(QueueBackend::new(name, Arc::clone(local), self.remote.clone(), slots))
    }
}

fn push_locally(queues: &LocalQueues, queue: &str, job: DueJob) {
    if let Some(queue) = queues.get(queue) {
        queue.push(job);
    }
}
