//! Runs one job: claim, lease, handler, outcome.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::JobId;
use domain::job::{Fence, Job};
use domain::time::now;
use domain::trace::TraceContext;
use futures::FutureExt;
use store::{Failed, JobBatches, JobClaim, Store, StoreError, Suspended};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::batch::Batcher;
use crate::bus::{EventBus, Subscription, Topic};
use crate::dispatch::Wakeups;
use crate::handler::{JobAttempt, JobError, Later, Outcome, Registration, chain};
use crate::trace;

/// Pause before a job of an unknown kind is offered again.
const UNKNOWN_KIND_PAUSE: Duration = Duration::from_secs(10);

/// Settings of leases: the time for which a worker holds a job without a heartbeat.
#[derive(Debug, Clone, Copy)]
pub struct LeaseSettings {
    /// Duration of a lease.
    pub lease: Duration,
    /// Interval at which the lease is extended.
    pub heartbeat: Duration,
}

impl Default for LeaseSettings {
    fn default() -> Self {
        Self::lasting(Duration::from_secs(30))
    }
}

impl LeaseSettings {
    /// Leases of this length, extended often enough that a slow moment costs none.
    pub fn lasting(lease: Duration) -> Self {
        Self { lease, heartbeat: lease / 6 }
    }
}

/// Everything a worker needs to run jobs.
pub struct Runner {
    store: Store,
    bus: EventBus,
    wakeups: Wakeups,
    settings: LeaseSettings,
    registrations: HashMap<&'static str, Registration>,
    /// Name of this process in the rows of the jobs that it runs.
    name: String,
    limits: LimitedQueues,
    batches: Option<Batches>,
    /// Fires when running handlers have to stop because the process ends.
    shutdown: CancellationToken,
}

impl Runner {
    /// A runner for these handlers. `shutdown` stops what still runs; its jobs are handed back.
    pub fn new(
        store: Store,
        bus: EventBus,
        wakeups: Wakeups,
        settings: LeaseSettings,
        registrations: Vec<Registration>,
        shutdown: CancellationToken,
    ) -> Self {
        let registrations = registrations.into_iter().map(|registration| (registration.kind, registration)).collect();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let name = format!("{host}:{}", std::process::id());
        let batches = store.job_batches().map(|batches| Batches::start(batches, settings.lease, &name));
        Self { store, bus, wakeups, settings, registrations, name, limits: LimitedQueues::default(), batches, shutdown }
    }

    /// Runs a job if it is to be had. Never fails: what goes wrong is recorded with the job, or left to the sweeper. The slot is free again
    /// when the handler has ended; nobody waits for the record of that.
    pub async fn run(self: Arc<Self>, queue: &'static str, id: JobId, slot: impl Send) {
        let is_limited = self.limits.has(&self.store, queue).await;
        let fence = Fence { job_id: id, token: Uuid::new_v4() };
        // Before the claim: whoever calls the job off from then on is heard.
        let called_off = self.bus.subscribe(Topic::Job(id));
        let job = match self.claim(fence, is_limited).await {
            Ok(Some(job)) => job,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(job.id = %id, error = chain(&error), "a job could not be claimed; the sweeper will try again");
                return;
            }
        };
        let (kind, exclusion_key) = (job.kind.clone(), job.exclusion_key.clone());
        let waited = (now() - job.run_at).to_std().unwrap_or_default();
        metrics::histogram!("mikrocloud_job_wait_seconds", "queue" => queue).record(waited.as_secs_f64());
        let started = std::time::Instant::now();
        let context = job.trace.as_deref().and_then(|trace| trace.parse().ok()).unwrap_or_default();
        let span = tracing::info_span!("job", job.id = %id, job.kind = kind, trace.id = TraceContext::trace_id(&context));
        let attempt = self.attempt(job, fence, called_off, slot).instrument(span);
        let outcome = trace::within(context, attempt).await;
        metrics::histogram!("mikrocloud_job_seconds", "kind" => kind.clone()).record(started.elapsed().as_secs_f64());
        metrics::counter!("mikrocloud_jobs_total", "kind" => kind, "outcome" => outcome).increment(1);
        if let Err(error) = self.wake_next(queue, exclusion_key.as_deref(), is_limited).await {
            tracing::warn!(queue, error = chain(&error), "the next job could not be looked for; the sweeper will try again");
        }
    }

    /// Takes a job: with others where that is possible, alone otherwise.
    async fn claim(&self, fence: Fence, is_limited: bool) -> Result<Option<Job>, StoreError> {
        if let Some(batches) = self.batches.as_ref().filter(|_| !is_limited)
            && let Some(job) = batches.claims.run(fence).await.flatten()
        {
            return Ok(Some(job));
        }
        let claim = JobClaim { token: fence.token, lease_until: now() + self.settings.lease, worker: &self.name, is_limited };
        self.store.job_claim(fence.job_id, &claim).await
    }

    /// Wakes a worker for what waited for the end of a job: one with its exclusion key, one that its queue's limits held back.
    async fn wake_next(&self, queue: &str, exclusion_key: Option<&str>, is_limited: bool) -> Result<(), StoreError> {
        if let Some(key) = exclusion_key
            && let Some(next) = self.store.job_next_excluded(key, now()).await?
        {
            self.wakeups.push(queue, next);
        }
        if is_limited {
            for next in self.store.job_list_due(queue, now(), 1).await? {
                self.wakeups.push(queue, next);
            }
        }
        Ok(())
    }

    async fn attempt(&self, job: Job, fence: Fence, called_off: Subscription, slot: impl Send) -> &'static str {
        let Some(registration) = self.registrations.get(job.kind.as_str()) else {
            // A newer program wrote it: while versions are changed, old workers run beside new ones.
            let waits_for = format!("a worker that knows jobs of the kind `{}`: this one is of an older version", job.kind);
            let later = Later { after: UNKNOWN_KIND_PAUSE, holds: false, waits_for };
            return self.record(fence, "later", &End::Later(&later)).await;
        };
        let attempts = (job.attempts, job.max_attempts);
        let stop = CancellationToken::new();
        let started = tokio::time::Instant::now();
        let work = AssertUnwindSafe(registration.handler.run(JobAttempt { job, fence, stop: stop.clone() })).catch_unwind();
        let result = tokio::select! {
            result = work => result.unwrap_or_else(|_| Err(JobError::Retry("the handler panicked".to_owned()))),
            never = self.guard(fence, registration.timeout, called_off, &stop) => match never {},
        };
        drop(slot);
        let overdue = started.elapsed() >= registration.timeout && !self.shutdown.is_cancelled();
        let result = match result {
            Err(JobError::Stopped) if overdue => {
                Err(JobError::Retry(format!("it took longer than {} seconds and was stopped", registration.timeout.as_secs())))
            }
            result => result,
        };
        match result {
            Ok(Outcome::Recorded) => "done",
            Ok(Outcome::Done) => self.record(fence, "done", &End::Done).await,
            Ok(Outcome::Later(later)) => self.record(fence, "later", &End::Later(&later)).await,
            Err(JobError::Stopped) if self.shutdown.is_cancelled() => self.record(fence, "handed_back", &End::HandedBack).await,
            // The lease is another's, or the job was cancelled: there is nothing to record.
            Err(JobError::Stopped) => {
                if !stop.is_cancelled() {
                    tracing::info!(job.id = %fence.job_id, "the lease of a job is lost: what it wrote was refused");
                }
                "stopped"
            }
            Err(JobError::Retry(error)) if attempts.0 < attempts.1 => {
                let failed = Failed { error, retry_at: Some(now() + backoff(attempts.0, rand::random())) };
                self.record_failure(fence, &failed, "retry").await
            }
            Err(JobError::Retry(error) | JobError::Fail(error)) => {
                self.record_failure(fence, &Failed { error, retry_at: None }, "dead").await
            }
        }
    }

    /// Keeps the lease while the handler works, and tells it to stop when it must. The handler ends in its own time, with everything
    /// it started cleaned up; this never does.
    async fn guard(
        &self,
        fence: Fence,
        timeout: Duration,
        mut called_off: Subscription,
        stop: &CancellationToken,
    ) -> std::convert::Infallible {
        let deadline = tokio::time::Instant::now() + timeout;
        let mut last_extended = tokio::time::Instant::now();
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.settings.heartbeat) => {}
                () = called_off.changed() => {}
                () = self.shutdown.cancelled(), if !stop.is_cancelled() => stop.cancel(),
                () = tokio::time::sleep_until(deadline), if !stop.is_cancelled() => {
                    tracing::warn!(job.id = %fence.job_id, timeout_seconds = timeout.as_secs(), "a job took too long and is stopped");
                    stop.cancel();
                }
            }
            match self.store.job_extend(fence, now() + self.settings.lease).await {
                Ok(true) => last_extended = tokio::time::Instant::now(),
                Ok(false) => {
                    if !stop.is_cancelled() {
                        tracing::info!(job.id = %fence.job_id, "the lease of a job is lost, or it was cancelled: it is stopped");
                    }
                    stop.cancel();
                }
                // A lease that could not be extended in time may be another's by now.
                Err(error) if last_extended.elapsed() > self.settings.lease => {
                    tracing::warn!(job.id = %fence.job_id, error = chain(&error), "a lease could not be extended in time: the job is stopped");
                    stop.cancel();
                }
                Err(error) => tracing::warn!(job.id = %fence.job_id, error = chain(&error), "a lease could not be extended"),
            }
        }
    }

    async fn record_failure(&self, fence: Fence, failed: &Failed, outcome: &'static str) -> &'static str {
        tracing::warn!(job.id = %fence.job_id, error = failed.error, retry_at = ?failed.retry_at, "a job failed");
        self.record(fence, outcome, &End::Failed(failed)).await
    }

    async fn record(&self, fence: Fence, outcome: &'static str, end: &End<'_>) -> &'static str {
        let until = tokio::time::Instant::now() + self.settings.lease;
        let written = loop {
            match self.write(fence, end).await {
                // A database that is away for a moment must not cost what was done; once the lease is over the write is refused.
                Err(error) if error.is_connection_lost() && tokio::time::Instant::now() < until => {
                    tokio::time::sleep(self.settings.heartbeat.min(Duration::from_millis(500))).await;
                }
                written => break written,
            }
        };
        match written {
            Ok(()) => outcome,
            Err(StoreError::LeaseLost) => {
                // Also when it was written, and only the answer to the commit was lost.
                tracing::info!(job.id = %fence.job_id, "the lease of a job is lost: its end was not recorded");
                "stopped"
            }
            Err(error) => {
                tracing::error!(job.id = %fence.job_id, error = chain(&error), "the end of a job could not be recorded; it runs again when its lease is over");
                "unrecorded"
            }
        }
    }

    async fn write(&self, fence: Fence, end: &End<'_>) -> Result<(), StoreError> {
        if let (Some(batches), End::Done) = (&self.batches, end)
            && let Some(done) = batches.ends.run(fence).await
        {
            return if done { Ok(()) } else { Err(StoreError::LeaseLost) };
        }
        let mut tx = self.store.begin().await?;
        match end {
            End::Done => tx.job_finish(fence).await?,
            End::HandedBack => tx.job_hand_back(fence).await?,
            End::Failed(failed) => tx.job_fail(fence, failed).await?,
            End::Later(later) => {
                let until = now() + chrono::Duration::from_std(later.after).unwrap_or(chrono::Duration::zero());
                let suspended = Suspended { until, holds: later.holds, waits_for: later.waits_for.clone() };
                tx.job_suspend(fence, &suspended).await?;
            }
        }
        tx.commit().await
    }
}

/// Claims and good ends of jobs, many in one statement.
struct Batches {
    /// `None` for a job that has to be claimed alone.
    claims: Batcher<Fence, Option<Job>>,
    /// Batcher that ends attempts, and returns true if the lease was still held.
    ends: Batcher<Fence, bool>,
}

impl Batches {
    fn start(batches: JobBatches, lease: Duration, worker: &str) -> Self {
        let (claiming, worker) = (batches.clone(), Arc::<str>::from(worker));
        let claims = Batcher::start(move |wanted: Vec<Fence>| {
            let (batches, worker) = (claiming.clone(), Arc::clone(&worker));
            async move {
                // What goes wrong with all of them is found, and told, by each alone.
                let claimed = batches.claim(&wanted, now() + lease, &worker).await.unwrap_or_default();
                let mut claimed: HashMap<_, _> = claimed.into_iter().map(|job| (job.lease_token, job)).collect();
                wanted.iter().map(|fence| claimed.remove(&Some(fence.token))).collect()
            }
        });
        let ends = Batcher::start(move |fences: Vec<Fence>| {
            let batches = batches.clone();
            async move {
                let done = batches.finish(&fences).await;
                done.map(|done| fences.iter().map(|fence| done.contains(&fence.job_id)).collect()).unwrap_or_default()
            }
        });
        Self { claims, ends }
    }
}

/// Outcome of an attempt in the database.
enum End<'a> {
    Done,
    HandedBack,
    Failed(&'a Failed),
    Later(&'a Later),
}

/// Queues that have limits, as known a moment ago.
#[derive(Default)]
struct LimitedQueues(Mutex<HashMap<&'static str, (std::time::Instant, bool)>>);

impl LimitedQueues {
    /// Time for which an answer is cached. Jobs that are claimed at the moment a limit is set may exceed it.
    const FRESH: Duration = Duration::from_secs(1);

    async fn has(&self, store: &Store, queue: &'static str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue).copied();
        if let Some((at, limited)) = known
            && at.elapsed() < Self::FRESH
        {
            return limited;
        }
        // A database that does not answer lets nothing be claimed either.
        let Ok(settings) = store.queue_get(queue).await else { return true };
        let limited = settings.concurrency.is_some() || settings.team_concurrency.is_some();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(queue, (std::time::Instant::now(), limited));
        limited
    }
}

/// The pause before the next attempt: 1 s, 2 s, 4 s ... 5 min, of which `jitter` (0 to 1) decides the upper half.
fn backoff(attempts: i64, jitter: f64) -> chrono::Duration {
    let doublings = u32::try_from(attempts.clamp(1, 10) - 1).unwrap_or(0);
    let full = Duration::from_secs(1 << doublings).min(Duration::from_mins(5));
    let pause = full.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    chrono::Duration::from_std(pause).unwrap_or(chrono::Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_are_jittered_and_bounded() {
        let pause = |attempts, jitter| backoff(attempts, jitter).num_milliseconds();
        assert_eq!([pause(1, 1.0), pause(2, 1.0), pause(4, 1.0), pause(1000, 1.0)], [1000, 2000, 8000, 300_000]);
        assert_eq!([pause(1, 0.0), pause(4, 0.0)], [500, 4000]);
    }
}
