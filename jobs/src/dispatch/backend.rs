//! The apalis backend: it emits ids of jobs. Claims, leases and outcomes are the runner's and live in the database.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use domain::id::JobId;
use futures::FutureExt;

use super::local::LocalQueue;
use super::remote::RemoteQueues;

/// How often Redis is asked although nobody rang: a ring may be lost.
const POLL: Duration = Duration::from_secs(1);

type Next = Pin<Box<dyn Future<Output = Option<JobId>> + Send>>;

/// Feeds one apalis worker from one queue.
pub struct QueueBackend {
    name: &'static str,
    local: Arc<LocalQueue>,
    remote: Option<RemoteQueues>,
    /// The wait for the next id, kept between polls.
    next: Option<Next>,
}

impl QueueBackend {
    pub(super) fn new(name: &'static str, local: Arc<LocalQueue>, remote: Option<RemoteQueues>) -> Self {
        Self { name, local, remote, next: None }
    }
}

/// Waits for the next id; `None` once the queue is closed.
async fn next(name: &'static str, local: Arc<LocalQueue>, remote: Option<RemoteQueues>) -> Option<JobId> {
    loop {
        let rung = local.rung();
        if local.is_closed() {
            return None;
        }
        if let Some(id) = local.pop() {
            return Some(id);
        }
        let Some(remote) = &remote else {
            rung.await;
            continue;
        };
        tokio::pin!(rung);
        // A task of its own: what Redis has given away must arrive although the bell rings meanwhile.
        let popping = tokio::spawn(pop(name, Arc::clone(&local), remote.clone()));
        tokio::select! {
            popped = popping => if popped.unwrap_or(false) { continue },
            () = &mut rung => continue,
        }
        let _ = tokio::time::timeout(POLL, rung).await;
    }
}

/// Moves the next job from Redis to this process; whether there was one.
async fn pop(name: &'static str, local: Arc<LocalQueue>, remote: RemoteQueues) -> bool {
    match remote.pop(name).await {
        Ok(Some(id)) => {
            local.arrived(id);
            true
        }
        Ok(None) => false,
        Err(error) => {
            tracing::debug!(queue = name, %error, "Redis cannot be asked for jobs; the sweeper finds them");
            false
        }
    }
}

impl Backend for QueueBackend {
    type Task = Task<JobId>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Option<Result<Self::Task, Infallible>>> {
        let Self { name, local, remote, next: pending } = self;
        let waiting = pending.get_or_insert_with(|| next(name, Arc::clone(local), remote.clone()).boxed());
        let Poll::Ready(id) = waiting.poll_unpin(cx) else { return Poll::Pending };
        *pending = None;
        if id.is_none() {
            // A worker whose backend has ended still waits to be told. Told from outside before it started, it would not listen.
            let _ = worker.stop();
        }
        Poll::Ready(id.map(|id| Ok(TaskBuilder::new(id).task_id(TaskId::from_string(id.to_string())).build())))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for QueueBackend {
    type Args = JobId;
    type Id = JobId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = tower::layer::util::Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        Self::Layer::new()
    }
}
