//! Running jobs: the same in the embedded form and in a worker process.

use std::sync::Arc;
use std::time::Duration;

use clouds_local::build::LocalBuilder;
use jobs::{EventBus, LeaseSettings, Runner, Sweeper, Wakeups, Workers};
use services::{Housekeeper, Services};
use store::Store;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Time within which jobs have to be handed back once the grace period is over.
const HAND_BACK: Duration = Duration::from_secs(5);

/// Workers and a sweeper at work.
pub struct Work {
    workers: Workers,
    sweeping: JoinHandle<()>,
    stop_sweeping: CancellationToken,
    hand_back: CancellationToken,
}

impl Work {
    /// Starts workers for these queues with so many jobs at once, and a sweeper. `alone` says that nobody else can be running jobs:
    /// what the database says is running is then taken back at once.
    pub async fn start(
        (store, bus, wakeups): (&Store, &EventBus, &Wakeups),
        services: &Services,
        queues: &[(&'static str, usize)],
        lease: LeaseSettings,
        alone: bool,
    ) -> Result<Self, store::StoreError> {
        let hand_back = CancellationToken::new();
        let registrations = worker::registrations(services);
        let runner = Runner::new(store.clone(), bus.clone(), wakeups.clone(), lease, registrations, hand_back.clone());
        let sweeper = Sweeper::new(store.clone(), wakeups.clone(), Arc::new(Housekeeper::new(services)));
        if alone {
            sweeper.reclaim_all().await?;
        }
        let workers = Workers::start(&Arc::new(runner), wakeups, queues);
        let stop_sweeping = CancellationToken::new();
        let sweeping = tokio::spawn(sweeper.run(stop_sweeping.clone()));
        Ok(Self { workers, sweeping, stop_sweeping, hand_back })
    }

    /// Takes nothing new, lets what runs finish within the grace, and hands the rest back.
    pub async fn stop(self, grace: Duration) {
        self.stop_sweeping.cancel();
        let mut stopping = tokio::spawn(self.workers.stop());
        if timeout(grace, &mut stopping).await.is_err() {
            self.hand_back.cancel();
            // Whoever does not heed the call must not keep the process: its lease runs out, and another takes the job.
            if timeout(HAND_BACK, &mut stopping).await.is_err() {
                stopping.abort();
                tracing::warn!("some jobs could not be handed back in time; they are taken back when their lease is over");
            }
        }
        let _ = self.sweeping.await;
    }
}

/// Kills what an earlier process of the same data directory left running: its builds and fetches. Returns the marker of fetches.
pub async fn kill_leftovers(builder: &LocalBuilder, instance: &str) -> String {
    clouds_local::process::kill_marked(&builder.marker_prefix()).await;
    let fetching = format!("{instance}:fetch");
    clouds_local::process::kill_marked(&fetching).await;
    fetching
}
