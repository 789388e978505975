//! The apalis workers, one per queue.

use std::sync::Arc;

use apalis::prelude::*;
use apalis_core::worker::builder::WorkerBuilder;
use domain::id::JobId;
use tokio::task::JoinSet;

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
            let Some(backend) = wakeups.backend(queue) else { continue };
            let runner = Arc::clone(runner);
            let name = format!("{queue}-{}", std::process::id());
            let worker = WorkerBuilder::new(name).backend(backend).concurrency(*concurrency).build(move |id: JobId| {
                let runner = Arc::clone(&runner);
                // A task of its own: apalis polls all jobs of a worker in one task, where a busy one would hold up the others.
                async move {
                    if tokio::spawn(runner.run(id)).await.is_err() {
                        tracing::error!(job.id = %id, "the runner of a job panicked; the sweeper takes the job back");
                    }
                }
            });
            let queue = *queue;
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
