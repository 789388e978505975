//! Puts right what crashes leave behind: wakes what the queue lost, takes back what a dead worker held.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Days;
use domain::time::{Timestamp, now};
use store::{Lock, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::dispatch::Wakeups;
use crate::handler::chain;
use crate::payload::QUEUES;

/// Invariants of the services that the sweeper keeps, such as "no deployment moves without a job".
#[async_trait]
pub trait Housekeeping: Send + Sync + 'static {
    /// Runs every few seconds.
    async fn keep_invariants(&self) -> Result<(), StoreError>;

    /// The present moment, for what is deleted because it is old.
    async fn retention_time(&self) -> Result<Timestamp, StoreError> {
        Ok(now())
    }

    /// Runs every hour: deletes what nobody needs any more.
    async fn purge(&self) -> Result<(), StoreError>;
}

/// The loop that puts things right. It depends on no queue and no worker.
pub struct Sweeper {
    store: Store,
    wakeups: Wakeups,
    housekeeping: Arc<dyn Housekeeping>,
}

impl Sweeper {
    const INTERVAL: Duration = Duration::from_secs(1);
    const PURGE_EVERY: u32 = 3600;

    /// A sweeper over this store.
    pub fn new(store: Store, wakeups: Wakeups, housekeeping: Arc<dyn Housekeeping>) -> Self {
        Self { store, wakeups, housekeeping }
    }

    /// Takes back every job that runs, whatever its lease says. Right only where this process alone owns the database: then nobody
    /// else can be running them, and waiting for the leases would only cost time.
    pub async fn reclaim_all(&self) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let far = now().checked_add_days(Days::new(3650)).unwrap_or_else(now);
        tx.job_reclaim(far).await?;
        tx.commit().await
    }

    /// Sweeps until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick: u32 = 0;
        loop {
            if let Err(error) = self.sweep().await {
                tracing::warn!(error = chain(&error), "a sweep failed; the next one is in a second");
            }
            if tick.is_multiple_of(Self::PURGE_EVERY)
                && let Err(error) = self.purge().await
            {
                tracing::warn!(error = chain(&error), "old rows could not be deleted; the next try is in an hour");
            }
            tick = tick.wrapping_add(1);
            tokio::select! {
                () = tokio::time::sleep(Self::INTERVAL) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One sweep.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        // Of several processes one does it at a time: the others would only wait for its rows.
        let is_first = tx.try_lock(Lock::Sweep).await?;
        if is_first {
            let reclaimed = tx.job_reclaim(now()).await?;
            tx.commit().await?;
            if !reclaimed.is_empty() {
                tracing::info!(jobs = reclaimed.len(), "took back jobs whose worker gave no sign of life");
            }
        } else {
            drop(tx);
        }
        for queue in QUEUES {
            for job in self.store.job_list_due(queue, now(), 256).await? {
                self.wakeups.push(queue, job);
            }
        }
        if is_first { self.housekeeping.keep_invariants().await } else { Ok(()) }
    }

    async fn purge(&self) -> Result<(), StoreError> {
        let at = self.housekeeping.retention_time().await?;
        let mut tx = self.store.begin().await?;
        tx.job_purge(at.checked_sub_days(Days::new(7)).unwrap_or(at)).await?;
        tx.commit().await?;
        self.housekeeping.purge().await
    }
}
