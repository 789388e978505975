//! The apalis workers, one per queue.

use std::sync::Arc;

use apalis::prelude::*;
use apalis_core::worker::builder::WorkerBuilder;
use domain::id::JobId;
use tokio::task::{JoinHandle, JoinSet};

use crate::dispatch::Wakeups;
use crate::runner::Runner;

/// Running workers.
pub struct Workers {
    wakeups: Wakeups,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Starts a worker for each queue with this many jobs at once.
    pub fn start(runner: &Arc<Runner>, wakeups: &Wakeups, queues: &[(&'static str, usize)]) -> Self {
        let mut tasks = JoinSet::new();
        for (queue, concurrency) in queues {
            let queue = *queue;
            let Some(backend) = wakeups.backend(queue) else { continue };
            let name = format!("{queue}-{}", std::process::id());
            let queue_runner = Arc::new(QueueRunner { runner: Arc::clone(runner), queue });
            let worker = WorkerBuilder::new(name).backend(backend).concurrency(*concurrency).build(move |id: JobId| {
                let queue_runner = Arc::clone(&queue_runner);
                // A task of its own: apalis polls all jobs of a worker in one task, where a busy one would hold up the others.
                async move {
                    if queue_runner.start(id).await.is_err() {
                        tracing::error!(job.id = %id, "the runner of a job panicked; the sweeper takes the job back");
                    }
                }
            });
            tasks.spawn(async move {
                if let Err(error) = worker.run().await {
                    tracing::error!(queue, %error, "a worker ended with an error");
                }
            });
        }
        Self { wakeups: wakeups.clone(), tasks }
    }

    /// Takes nothing new and waits until what runs has ended.
    pub async fn stop(mut self) {
        self.wakeups.close();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// The runner with the queue it works on.
struct QueueRunner {
    runner: Arc<Runner>,
    queue: &'static str,
}

impl QueueRunner {
    fn start(&self, id: JobId) -> JoinHandle<()> {
        tokio::spawn(Arc::clone(&self.runner).run(self.queue, id))
    }
}
