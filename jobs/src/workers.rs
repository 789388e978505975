//! The apalis workers, one per queue.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use apalis::prelude::*;
use apalis_core::worker::builder::WorkerBuilder;
use domain::id::JobId;
use futures::FutureExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::dispatch::Wakeups;
use crate::runner::Runner;

/// Running workers.
pub struct Workers {
    wakeups: Wakeups,
    tasks: JoinSet<()>,
    running: TaskTracker,
}

impl Workers {
    /// Starts a worker for each queue with this many jobs at once.
    pub fn start(runner: &Arc<Runner>, wakeups: &Wakeups, queues: &[(&'static str, usize)]) -> Self {
        let (mut tasks, running) = (JoinSet::new(), TaskTracker::new());
        for (queue, concurrency) in queues {
            let queue = *queue;
            let slots = Arc::new(Semaphore::new(*concurrency));
            let Some(backend) = wakeups.backend(queue, Arc::clone(&slots)) else { continue };
            let name = format!("{queue}-{}", std::process::id());
            let starter = Arc::new(Starter { runner: Arc::clone(runner), queue, slots, running: running.clone() });
            // It starts jobs one after the other and waits for none; the slots are what limits how many run.
            let worker = WorkerBuilder::new(name).backend(backend).concurrency(1).build(move |id: JobId| {
                let starter = Arc::clone(&starter);
                async move { starter.start(id) }
            });
            tasks.spawn(async move {
                if let Err(error) = worker.run().await {
                    tracing::error!(queue, %error, "a worker ended with an error");
                }
            });
        }
        Self { wakeups: wakeups.clone(), tasks, running }
    }

    /// Takes nothing new and waits until what runs has ended.
    pub async fn stop(mut self) {
        self.wakeups.close();
        while self.tasks.join_next().await.is_some() {}
        self.running.close();
        self.running.wait().await;
    }
}

/// Starts the jobs of a queue.
struct Starter {
    runner: Arc<Runner>,
    queue: &'static str,
    slots: Arc<Semaphore>,
    running: TaskTracker,
}

impl Starter {
    /// Starts a job, for which the backend has taken a slot. It runs in a task of its own: apalis polls all jobs of a worker in one, where
    /// a busy one would hold up the others.
    fn start(&self, id: JobId) {
        let slot = Slot(Arc::clone(&self.slots));
        let run = AssertUnwindSafe(Arc::clone(&self.runner).run(self.queue, id, slot)).catch_unwind();
        self.running.spawn(async move {
            if run.await.is_err() {
                tracing::error!(job.id = %id, "the runner of a job panicked; the sweeper takes the job back");
            }
        });
    }
}

/// A place for a job that runs; dropped, it is free.
struct Slot(Arc<Semaphore>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}
