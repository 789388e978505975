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
use tokio::sync::Semaphore;

use super::local::LocalQueue;
use super::remote::RemoteQueues;

/// Interval at which Redis is polled even without a wake-up, since wake-ups may be lost.
const POLL: Duration = Duration::from_secs(1);

type Next = Pin<Box<dyn Future<Output = Option<JobId>> + Send>>;

/// Feeds one apalis worker from one queue.
pub struct QueueBackend {
    source: Source,
    /// The wait for the next id, kept between polls.
    next: Option<Next>,
}

impl QueueBackend {
    pub(super) fn new(name: &'static str, local: Arc<LocalQueue>, remote: Option<RemoteQueues>, slots: Arc<Semaphore>) -> Self {
        Self { source: Source { name, local, remote, slots }, next: None }
    }
}

/// Source of ids.
#[derive(Clone)]
struct Source {
    name: &'static str,
    local: Arc<LocalQueue>,
    remote: Option<RemoteQueues>,
    /// Each job that was handed out and whose handler has not ended yet has taken a permit.
    slots: Arc<Semaphore>,
}

/// Waits for the next id; `None` once the queue is closed.
async fn next(Source { name, local, remote, slots }: Source) -> Option<JobId> {
    loop {
        let rung = local.rung();
        if local.is_closed() {
            return None;
        }
        tokio::pin!(rung);
        // Nothing is taken that cannot start at once: another process may be idle.
        let slot = tokio::select! {
            slot = slots.acquire() => slot.ok()?,
            () = &mut rung => continue,
        };
        if let Some(id) = local.pop() {
            // Whoever runs the job gives it back.
            slot.forget();
            return Some(id);
        }
        let Some(remote) = &remote else {
            rung.await;
            continue;
        };
        // One at a time, so that idle processes share what comes; not given up when the bell rings, or it would come on top of the next.
        match remote.pop(name).await {
            Ok(Some(id)) => {
                slot.forget();
                return Some(id);
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(queue = name, %error, "Redis cannot be asked for jobs; the sweeper finds them"),
        }
        drop(slot);
        let _ = tokio::time::timeout(POLL, rung).await;
    }
}

impl Backend for QueueBackend {
    type Task = Task<JobId>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Option<Result<Self::Task, Infallible>>> {
        let Self { source, next: pending } = self;
        let waiting = pending.get_or_insert_with(|| next(source.clone()).boxed());
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
