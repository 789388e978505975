//! One server workload: its replicas, and how requests get to them.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clouds_contract::Observation;
use domain::workload::Server;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::supervisor::supervise;
use crate::edge::instance::{Instance, Lease, Pool, StartFailure};
use crate::edge::page::Page;
use crate::edge::shared::Place;

/// Requests that may wait for a process at once; more are told to come back.
const MAX_WAITING: usize = 1000;

/// Time for which a request waits while a server restarts or starts for the first time.
const PATIENCE: Duration = Duration::from_secs(5);

/// After a start on demand failed, requests are answered with the reason for this long.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// One server workload.
pub(crate) struct ServerGroup {
    pub(super) place: Arc<Place>,
    pub(super) spec: Server,
    pub(super) pool: Pool,
    /// Wakes the supervisor.
    pub(super) wake: Notify,
    state: Mutex<State>,
    /// Counts changes of the pool and the phase, for those who wait.
    changed: watch::Sender<u64>,
    live: AtomicBool,
    /// Number of replicas that it should have here.
    wanted: AtomicU32,
    waiting: AtomicUsize,
}

struct State {
    phase: Phase,
    /// It was ready once, in this process or an earlier one.
    was_ready: bool,
    /// Time until which it runs without a route.
    keep_until: Instant,
    /// A route has moved away and nobody asked since: requests under way are waited for only so long.
    leaving: bool,
}

/// Phase of a server workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing runs.
    Idle,
    /// Processes are being started, or restarted.
    Starting,
    /// It answers.
    Ready,
    /// It did not come up. Demand may try again from `retry_at` on.
    Failed { message: String, retry_at: Option<Instant> },
    /// It is no more.
    Gone,
}

/// Reason for which a request gets no place in a process.
#[derive(Debug)]
pub(crate) enum NoLease {
    /// The workload is no more: look up again who answers.
    Gone,
    /// It does not answer now.
    Page(Page),
}

impl ServerGroup {
    /// The server of this place, and its supervisor in a task of its own.
    pub fn start(place: Arc<Place>, spec: Server, live: bool) -> Arc<Self> {
        let (was_ready, phase) = match place.status.current() {
            Observation::Ready { .. } => (true, Phase::Idle),
            Observation::Failed { message, .. } => (false, Phase::Failed { message, retry_at: None }),
            Observation::Pending { .. } | Observation::Absent => (false, Phase::Idle),
        };
        let state = Mutex::new(State { phase, was_ready, keep_until: Instant::now(), leaving: false });
        let group = Arc::new(Self {
            wanted: AtomicU32::new(spec.replicas),
            place,
            spec,
            pool: Pool::default(),
            wake: Notify::new(),
            state,
            changed: watch::channel(0).0,
            live: AtomicBool::new(live),
            waiting: AtomicUsize::new(0),
        });
        tokio::spawn(supervise(Arc::clone(&group)));
        group
    }

    /// Returns true if a request would be answered at once.
    pub fn is_serving(&self) -> bool {
        self.pool.len() > 0
    }

    /// Returns true if a route points to it, or is to point to it.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::SeqCst)
    }

    /// Says whether a route shows it. When none does any more, requests under way finish and it is stopped.
    pub fn set_live(&self, live: bool) {
        if self.live.swap(live, Ordering::SeqCst) != live {
            let mut state = self.lock();
            state.keep_until = Instant::now();
            state.leaving = !live;
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Says how many replicas it is to have here.
    pub fn set_replicas(&self, wanted: u32) {
        if self.wanted.swap(wanted, Ordering::SeqCst) != wanted {
            self.wake.notify_one();
        }
    }

    /// Returns true if it has a reason to run now.
    pub(super) fn has_reason(&self) -> bool {
        let yields = self.spec.port.is_some_and(|port| self.place.shared.fixed_ports.must_yield(port, self.place.id()));
        let state = self.lock();
        let fresh = !state.was_ready && !matches!(state.phase, Phase::Failed { .. });
        let kept = Instant::now() < state.keep_until || (!state.leaving && self.pool.in_flight() > 0);
        !yields && !self.place.retire.is_cancelled() && (self.is_live() || fresh || kept)
    }

    /// Returns the time at which the reason to run may end by itself.
    pub(super) fn keep_until(&self) -> Instant {
        self.lock().keep_until
    }

    pub(super) fn was_ready(&self) -> bool {
        self.lock().was_ready
    }

    pub(super) fn phase(&self) -> Phase {
        self.lock().phase.clone()
    }

    /// Returns the minimum number of processes that it should have now.
    pub(super) fn replicas(&self) -> usize {
        let full = self.is_live() || !self.was_ready();
        if full && self.spec.port.is_none() { self.wanted.load(Ordering::SeqCst).max(1) as usize } else { 1 }
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.lock().phase = phase;
        self.changed.send_modify(|count| *count += 1);
    }

    /// A replica answers.
    pub(super) fn replica_ready(&self, instance: Arc<Instance>) {
        self.pool.add(instance);
        let enough = self.was_ready() || self.pool.len() >= self.replicas();
        if enough {
            let mut state = self.lock();
            if !state.was_ready {
                state.was_ready = true;
                state.keep_until = Instant::now() + self.place.shared.config.route_grace;
            }
            state.phase = Phase::Ready;
            drop(state);
            self.place.ready();
        }
        self.changed.send_modify(|count| *count += 1);
    }

    /// A replica takes no more requests.
    pub(super) fn replica_gone(&self, instance: &Arc<Instance>, reason: &str) {
        self.pool.remove(instance);
        if self.pool.len() == 0 {
            self.set_phase(Phase::Starting);
            if self.is_live() && !self.place.retire.is_cancelled() {
                self.place.status.pending(format!("restarting: {reason}"));
            }
        }
        self.changed.send_modify(|count| *count += 1);
    }

    /// A start failed. Whether another try is to be made.
    pub(super) fn start_failed(&self, failure: &StartFailure) -> bool {
        let (was_ready, live) = (self.was_ready(), self.is_live());
        if live {
            self.place.status.pending(format!("restarting: {}", failure.summary()));
            return true;
        }
        if failure.is_retryable && !was_ready {
            self.place.status.pending(failure.summary());
            return true;
        }
        if was_ready {
            // The failure of a deployment that never was is told with the deployment.
            self.place.logs.system(failure.summary());
            let retry_at = Some(Instant::now() + RETRY_AFTER);
            self.set_phase(Phase::Failed { message: failure.message.clone(), retry_at });
        } else {
            self.place.status.failed(failure.code, failure.message.as_str());
            self.set_phase(Phase::Failed { message: failure.message.clone(), retry_at: None });
        }
        self.lock().keep_until = Instant::now();
        false
    }

    /// A place in one of its processes; another than in `avoid` where possible. Only who asks by the workload's own label makes it
    /// run: a request that came by a route which just moved away must not keep it.
    pub async fn lease(&self, avoid: Option<&Arc<Instance>>, by_own_label: bool) -> Result<Lease, NoLease> {
        if by_own_label {
            self.demand();
        }
        if let Some(lease) = self.pool.lease(avoid) {
            return Ok(lease);
        }
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= MAX_WAITING {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(NoLease::Page(Page::unavailable("too many requests wait for this server to start", 2)));
        }
        let _waiting = Waiting(&self.waiting);
        self.wait_for_lease(avoid, by_own_label).await
    }

    async fn wait_for_lease(&self, avoid: Option<&Arc<Instance>>, by_own_label: bool) -> Result<Lease, NoLease> {
        // What was ready once and is started on demand may take as long as its start may take.
        let on_demand = self.was_ready() && !self.is_live();
        let patience = if on_demand { self.place.shared.config.start_deadline } else { PATIENCE };
        let deadline = Instant::now() + patience;
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if by_own_label {
                self.demand();
            }
            if let Some(lease) = self.pool.lease(avoid) {
                return Ok(lease);
            }
            match self.phase() {
                Phase::Gone => return Err(NoLease::Gone),
                Phase::Failed { message, retry_at } if retry_at.is_none_or(|at| Instant::now() < at) && !self.is_live() => {
                    return Err(NoLease::Page(Page::unavailable(message, 30)));
                }
                _ => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if timeout(left, changes.changed()).await.is_err() {
                return Err(NoLease::Page(Page::unavailable(self.waiting_message(), 2)));
            }
        }
    }

    fn waiting_message(&self) -> String {
        match self.place.status.current() {
            Observation::Pending { detail } if !detail.is_empty() => format!("this deployment is not ready: {detail}"),
            _ => "this deployment is starting".to_owned(),
        }
    }

    /// Somebody asks for it although no route may show it.
    fn demand(&self) {
        if self.is_live() {
            return;
        }
        let mut state = self.lock();
        match state.phase {
            Phase::Failed { retry_at: Some(at), .. } if Instant::now() >= at => state.phase = Phase::Idle,
            Phase::Failed { .. } => return,
            _ => {}
        }
        if state.was_ready {
            state.keep_until = state.keep_until.max(Instant::now() + self.place.shared.config.idle_after);
            state.leaving = false;
        }
        let idle = state.phase == Phase::Idle;
        drop(state);
        if idle {
            self.wake.notify_one();
        }
    }

    /// Waits until nothing of it runs. It must have been told to retire.
    pub async fn gone(&self) {
        let mut changes = self.changed.subscribe();
        while self.phase() != Phase::Gone {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
