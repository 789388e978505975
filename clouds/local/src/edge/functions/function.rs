//! One function: a process that is started when it is called and stopped when nobody calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::secret::Secret;
use domain::workload::{Function, FunctionSet};
use http::{Response, StatusCode};
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::program;
use crate::edge::body::EdgeBody;
use crate::edge::instance::{Ended, LaunchError, LaunchPlan, Lease, Pool, Probe, Running, StartFailure, launch};
use crate::edge::page::Page;
use crate::edge::proxy::Outgoing;
use crate::edge::shared::Place;

/// Calls that may wait for their turn; more are told to come back.
const MAX_WAITING: usize = 100;

/// A function that failed to start is not started again for this long.
const FAILURE_HOLDS: Duration = Duration::from_secs(2);

/// Timeout of loading a function's module.
const LOAD_DEADLINE: Duration = Duration::from_secs(20);

/// One function.
pub(super) struct FunctionRuntime {
    place: Arc<Place>,
    pub function: Function,
    env: Vec<(String, String)>,
    memory_mib: u64,
    timeout: Duration,
    pool: Pool,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Held while it is started, so that it is started once for all who call; holds the last failure.
    starting: AsyncMutex<Option<(Instant, StartFailure)>>,
    used: Mutex<Instant>,
    tasks: TaskTracker,
}

impl FunctionRuntime {
    pub fn new(place: Arc<Place>, function: Function, set: &FunctionSet, tasks: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            place,
            function,
            env: set.env.clone(),
            memory_mib: set.memory_mib,
            timeout: Duration::from_secs(set.timeout_seconds.max(1)),
            pool: Pool::default(),
            turns: Arc::new(Semaphore::new(set.concurrency.max(1) as usize)),
            waiting: AtomicUsize::new(0),
            starting: AsyncMutex::new(None),
            used: Mutex::new(Instant::now()),
            tasks,
        })
    }

    /// Calls it.
    pub async fn call(self: &Arc<Self>, mut outgoing: Outgoing) -> Response<EdgeBody> {
        let request = outgoing.headers.clone();
        self.answer(&mut outgoing).await.unwrap_or_else(|page| page.response(&request))
    }

    async fn answer(self: &Arc<Self>, outgoing: &mut Outgoing) -> Result<Response<EdgeBody>, Page> {
        let turn = Arc::new(self.turn().await?);
        let mut deadline = Instant::now() + self.timeout;
        for attempt in 1..=3 {
            let lease = if let Some(lease) = self.pool.lease(None) {
                lease
            } else {
                let lease = self.started().await.map_err(|failure| self.start_page(&failure))?;
                // The time limit is the function's own: what its start takes does not count.
                deadline = Instant::now() + self.timeout;
                lease
            };
            self.touch();
            let instance = Arc::clone(lease.instance());
            match timeout_at(deadline, self.place.shared.upstream.forward(outgoing, lease, Arc::clone(&turn))).await {
                Ok(Ok(response)) => return Ok(limited(response, deadline)),
                Ok(Err(error)) if error.retry.allows(attempt) => self.pool.remove(&instance),
                Ok(Err(error)) => return Err(Page::new(StatusCode::BAD_GATEWAY, error.message)),
                Err(_) => {
                    // It may never come back from this call: who calls next gets a new process.
                    self.pool.remove(&instance);
                    self.place.logs.system(format!("{} took longer than {} s", self.function.route, self.timeout.as_secs()));
                    let message = format!("the function took longer than {} s", self.timeout.as_secs());
                    return Err(Page::new(StatusCode::GATEWAY_TIMEOUT, message));
                }
            }
        }
        Err(Page::new(StatusCode::BAD_GATEWAY, "the function's process ends before it answers"))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Page> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let busy = || Page::unavailable("the function has as many calls as it takes at once", 1);
        let waiting = Waiting::enter(&self.waiting);
        if waiting.before >= MAX_WAITING {
            return Err(busy());
        }
        let turn = timeout_at(Instant::now() + self.timeout, Arc::clone(&self.turns).acquire_owned()).await;
        turn.map_err(|_| busy())?.map_err(|_| busy())
    }

    /// A place in its process, started if need be. The start goes on when the caller goes away.
    async fn started(self: &Arc<Self>) -> Result<Lease, StartFailure> {
        let this = Arc::clone(self);
        let start = self.tasks.spawn(async move {
            let mut failure = this.starting.lock().await;
            if let Some(lease) = this.pool.lease(None) {
                return Ok(lease);
            }
            if let Some((_, known)) = failure.as_ref().filter(|(at, _)| at.elapsed() < FAILURE_HOLDS) {
                return Err(known.clone());
            }
            let started = this.start().await;
            *failure = started.as_ref().err().map(|error| (Instant::now(), error.clone()));
            started
        });
        start.await.unwrap_or_else(|error| Err(StartFailure::transient("INTERNAL", error.to_string())))
    }

    async fn start(self: &Arc<Self>) -> Result<Lease, StartFailure> {
        let plan = self.plan().await?;
        let running = match launch(&plan, &self.place.logs, &self.place.retire).await {
            Ok(running) => running,
            Err(LaunchError::Stopped) => {
                return Err(StartFailure::transient("STOPPED", "the function is being stopped"));
            }
            Err(LaunchError::Failed(failure)) => return Err(StartFailure { code: "FUNCTION_FAILED", ..failure }),
        };
        self.touch();
        let lease = running.instance.lease();
        self.pool.add(Arc::clone(&running.instance));
        self.tasks.spawn(Arc::clone(self).keep(running));
        lease.ok_or_else(|| StartFailure::transient("INTERNAL", "the function's process is closed"))
    }

    async fn plan(&self) -> Result<LaunchPlan, StartFailure> {
        let place = &self.place;
        let artifact = place.shared.control.artifact(&place.desired.artifact).await?;
        let directory = place.shared.workdirs.prepare(place.id(), artifact).await?;
        let marker = place.marker(self.function.route.trim_start_matches('/'));
        let mut env = program::variables(&self.function);
        env.extend(self.env.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_str()))));
        // The last of one name counts: the environment's own.
        env.extend(place.variables().await?);
        Ok(LaunchPlan {
            noun: format!("the function {} ({})", self.function.route, self.function.file),
            command: program::command(&self.function, &directory, &marker).await?,
            directory,
            env,
            marker,
            port: None,
            probe: Probe::Connect,
            deadline: LOAD_DEADLINE.min(place.shared.config.start_deadline),
            stop_grace: Duration::from_secs(2).min(place.shared.config.stop_grace),
            input: None,
            container: None,
        })
    }

    /// Keeps its process until nobody calls for long, it ends, or it is to be gone.
    async fn keep(self: Arc<Self>, mut running: Running) {
        let instance = Arc::clone(&running.instance);
        let stop = CancellationToken::new();
        let ended = tokio::select! {
            ended = running.watch(self.memory_mib, &stop) => ended,
            () = self.unused(&instance) => Ended::Asked,
            () = self.place.retire.cancelled() => Ended::Asked,
        };
        self.pool.remove(&instance);
        let route = &self.function.route;
        match ended {
            Ended::Asked => running.stop(self.drain_time(), self.place.stop_grace().min(Duration::from_secs(2))).await,
            Ended::Exited(how) => {
                self.place.logs.system(format!("the process of {route} {how}"));
                running.stop(Duration::ZERO, Duration::ZERO).await;
            }
            Ended::OverMemory { used_mib } => {
                self.place.logs.system(format!("{route} used {used_mib} MiB, limit {} MiB: it is killed", self.memory_mib));
                running.stop(Duration::ZERO, Duration::ZERO).await;
            }
        }
    }

    /// Returns when its process is of no more use: taken out after a call that took too long, or not called for long.
    async fn unused(&self, instance: &crate::edge::instance::Instance) {
        let idle_after = self.place.shared.config.function_idle_after;
        loop {
            sleep(Duration::from_millis(200).min(idle_after)).await;
            let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
            if instance.is_closed() || (instance.in_flight() == 0 && used.elapsed() >= idle_after) {
                return;
            }
        }
    }

    /// Returns the time for which other calls may continue in a process that is to end.
    fn drain_time(&self) -> Duration {
        let usual = if self.place.retire.is_cancelled() { Duration::from_secs(3) } else { self.timeout };
        self.place.shared.stop_drain().unwrap_or(usual)
    }

    /// Starts it once, to see whether it does.
    pub async fn check(self: &Arc<Self>) -> Result<(), StartFailure> {
        self.started().await.map(drop)
    }

    fn start_page(&self, failure: &StartFailure) -> Page {
        self.place.logs.system(failure.summary());
        // The last lines hold the function's stack: they are for the log.
        Page::unavailable(format!("the function {} does not start; its log says why", self.function.route), 5)
    }

    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Returns true if this path is the function's own: its route, or below it. Below `/` is everything: there a site takes
    /// precedence.
    pub fn answers(&self, path: &str, with_site: bool) -> bool {
        let route = self.function.route.trim_end_matches('/');
        if route.is_empty() && with_site {
            return path == "/";
        }
        path.strip_prefix(route).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Cuts a streamed answer off when the function's time is over.
fn limited(response: Response<EdgeBody>, deadline: Instant) -> Response<EdgeBody> {
    response.map(|body| body.until(deadline))
}

/// Counts who waits.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        Self { count, before: count.fetch_add(1, Ordering::SeqCst) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
    }
}
