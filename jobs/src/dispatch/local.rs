//! Waiting jobs of one queue in this process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::id::JobId;
use domain::job::DueJob;
use tokio::sync::Notify;

use super::fair::FairQueue;

/// One queue with a bell for the worker that empties it.
#[derive(Debug, Default)]
pub(super) struct LocalQueue {
    waiting: Mutex<FairQueue>,
    closed: AtomicBool,
    bell: Notify,
}

impl LocalQueue {
    /// Adds a job and rings.
    pub fn push(&self, job: DueJob) {
        self.lock().push(job);
        self.bell.notify_one();
    }

    /// The next job.
    pub fn pop(&self) -> Option<JobId> {
        self.lock().pop()
    }

    /// Ends the queue: nothing more is taken from it.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.bell.notify_one();
    }

    /// Returns true if the queue has ended.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Says that it is worth looking.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits for the bell. A ring between two waits is not missed.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, FairQueue> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
