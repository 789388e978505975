//! Feeds apalis workers with the ids of jobs, within one process.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use domain::id::JobId;

/// The ids that wait, per queue. An id that waits already is not added again, so that pushing twice is harmless. Cheap to clone.
#[derive(Clone)]
pub struct Wakeups {
    queues: Arc<HashMap<&'static str, Arc<Mutex<Waiting>>>>,
}

#[derive(Default)]
struct Waiting {
    order: VecDeque<JobId>,
    known: HashSet<JobId>,
    closed: bool,
    waker: Option<Waker>,
}

impl Wakeups {
    /// Empty queues of these names.
    pub fn new(queues: &[&'static str]) -> Self {
        Self { queues: Arc::new(queues.iter().map(|name| (*name, Arc::default())).collect()) }
    }

    /// Wakes a worker for a job. Call it after the transaction that wrote the job is committed.
    pub fn push(&self, queue: &str, id: JobId) {
        let Some(waiting) = self.queues.get(queue) else { return };
        let waker = {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.known.insert(id) {
                waiting.order.push_back(id);
            }
            waiting.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ends every queue: workers finish what they run and take nothing new.
    pub fn close(&self) {
        for waiting in self.queues.values() {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.closed = true;
            if let Some(waker) = waiting.waker.take() {
                waker.wake();
            }
        }
    }

    /// The apalis backend of one queue; `None` for a queue that does not exist.
    pub fn backend(&self, queue: &str) -> Option<ChannelBackend> {
        self.queues.get(queue).map(|waiting| ChannelBackend { waiting: Arc::clone(waiting) })
    }
}

/// An apalis backend over one queue of [`Wakeups`]. It emits ids; claims, leases and outcomes are the runner's and live in the database.
pub struct ChannelBackend {
    waiting: Arc<Mutex<Waiting>>,
}

impl Backend for ChannelBackend {
    type Task = Task<JobId>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Option<Result<Self::Task, Infallible>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.closed {
            // A worker whose backend has ended still waits to be told. Told from outside before it started, it would not listen.
            let _ = worker.stop();
            return Poll::Ready(None);
        }
        let Some(id) = waiting.order.pop_front() else {
            waiting.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        waiting.known.remove(&id);
        Poll::Ready(Some(Ok(TaskBuilder::new(id).task_id(TaskId::from_string(id.to_string())).build())))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for ChannelBackend {
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
