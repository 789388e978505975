//! A runner with one handler, and what a test does to it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::id::{JobId, TeamId};
use domain::job::{DueJob, Job, JobState};
use jobs::payload::{BUILD, Payload, Queue, job_of};
use jobs::{
    EventBus, Handler, Housekeeping, JobAttempt, JobError, LeaseSettings, Outcome, Redis, Registration, Runner, Sweeper, Wakeups,
    Workers,
};
use serde::{Deserialize, Serialize};
use store::{NewJob, Store, StoreError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Long enough for a machine that is busy with other things, short enough to tell a hang.
pub const SOON: Duration = Duration::from_secs(30);

/// A lease that does not run out, and a heartbeat that does not come, during a test.
pub const CALM: LeaseSettings = LeaseSettings { lease: Duration::from_hours(1), heartbeat: Duration::from_hours(1) };

/// A heartbeat that comes at once.
pub const BRISK: LeaseSettings = LeaseSettings { lease: Duration::from_hours(1), heartbeat: Duration::from_millis(10) };

/// A job in a queue that the sweeper knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TestJob {
    pub team: TeamId,
    pub subject: Option<Uuid>,
    pub key: Option<String>,
}

impl Payload for TestJob {
    const KIND: &'static str = "test";
    const QUEUE: Queue = BUILD;
    const MAX_ATTEMPTS: i64 = 3;
    const TIMEOUT: Duration = Duration::from_hours(1);

    fn team_id(&self) -> TeamId {
        self.team
    }

    fn subject_id(&self) -> Option<Uuid> {
        self.subject
    }

    fn exclusion_key(&self) -> Option<String> {
        self.key.clone()
    }
}

/// The same with no time to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HastyJob(pub TestJob);

impl Payload for HastyJob {
    const KIND: &'static str = "hasty";
    const QUEUE: Queue = BUILD;
    const MAX_ATTEMPTS: i64 = 3;
    const TIMEOUT: Duration = Duration::ZERO;

    fn team_id(&self) -> TeamId {
        self.0.team
    }

    fn subject_id(&self) -> Option<Uuid> {
        None
    }

    fn exclusion_key(&self) -> Option<String> {
        None
    }
}

struct Scripted<F>(F);

#[async_trait]
impl<F, A> Handler for Scripted<F>
where
    F: Fn(JobAttempt) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Outcome, JobError>> + Send,
{
    async fn run(&self, run: JobAttempt) -> Result<Outcome, JobError> {
        (self.0)(run).await
    }
}

struct NoInvariants;

#[async_trait]
impl Housekeeping for NoInvariants {
    async fn keep_invariants(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn purge(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A runner, its queue, and the store behind them. No sweeper runs unless a test calls [`Rig::sweep`].
pub struct Rig {
    pub store: Store,
    pub bus: EventBus,
    pub wakeups: Wakeups,
    pub runner: Arc<Runner>,
    pub shutdown: CancellationToken,
    pub team: TeamId,
}

impl Rig {
    /// A runner whose jobs all do this.
    pub fn new<A>(store: Store, settings: LeaseSettings, script: impl Fn(JobAttempt) -> A + Clone + Send + Sync + 'static) -> Self
    where
        A: Future<Output = Result<Outcome, JobError>> + Send + 'static,
    {
        Self::on(store, EventBus::default(), Wakeups::new(&["build"]), settings, script)
    }

    /// The same, woken through Redis.
    pub fn over_redis<A>(
        redis: &Redis,
        store: Store,
        settings: LeaseSettings,
        script: impl Fn(JobAttempt) -> A + Clone + Send + Sync + 'static,
    ) -> Self
    where
        A: Future<Output = Result<Outcome, JobError>> + Send + 'static,
    {
        let (bus, wakeups) = (EventBus::over_redis(redis), Wakeups::over_redis(&["build"], redis));
        let rig = Self::on(store, bus, wakeups, settings, script);
        tokio::spawn(jobs::redis::relay(redis.clone(), rig.bus.clone(), rig.wakeups.clone(), rig.shutdown.clone()));
        rig
    }

    fn on<A>(
        store: Store,
        bus: EventBus,
        wakeups: Wakeups,
        settings: LeaseSettings,
        script: impl Fn(JobAttempt) -> A + Clone + Send + Sync + 'static,
    ) -> Self
    where
        A: Future<Output = Result<Outcome, JobError>> + Send + 'static,
    {
        let shutdown = CancellationToken::new();
        let registrations =
            vec![Registration::of::<TestJob>(Scripted(script.clone())), Registration::of::<HastyJob>(Scripted(script))];
        let runner = Runner::new(store.clone(), bus.clone(), wakeups.clone(), settings, registrations, shutdown.clone());
        Self { store, bus, wakeups, runner: Arc::new(runner), shutdown, team: TeamId::new() }
    }

    /// Starts workers that run this many jobs at once.
    pub fn workers(&self, concurrency: usize) -> Workers {
        Workers::start(&self.runner, &self.wakeups, &[("build", concurrency)])
    }

    /// A job of the rig's team.
    pub fn job(&self) -> TestJob {
        TestJob { team: self.team, ..TestJob::default() }
    }

    /// Writes a job without waking anybody.
    pub async fn write(&self, payload: &impl Payload) -> JobId {
        self.insert(&[job_of(payload)]).await[0]
    }

    /// Writes jobs in one transaction without waking anybody.
    pub async fn insert(&self, jobs: &[NewJob]) -> Vec<JobId> {
        let mut tx = self.store.begin().await.unwrap();
        for job in jobs {
            tx.job_insert(job).await.unwrap();
        }
        tx.commit().await.unwrap();
        jobs.iter().map(|job| job.id).collect()
    }

    /// Writes a job and wakes a worker for it.
    pub async fn start(&self, payload: &impl Payload) -> JobId {
        let id = self.write(payload).await;
        self.wake(id);
        id
    }

    /// Wakes a worker for a job of the rig's team.
    pub fn wake(&self, id: JobId) {
        self.wakeups.push("build", DueJob { id, team_id: self.team, priority: 100 });
    }

    pub fn sweeper(&self) -> Sweeper {
        Sweeper::new(self.store.clone(), self.wakeups.clone(), Arc::new(NoInvariants))
    }

    pub async fn sweep(&self) {
        self.sweeper().sweep().await.unwrap();
    }

    pub async fn get(&self, id: JobId) -> Job {
        self.store.job_get(self.team, id).await.unwrap().expect("the job")
    }

    /// Waits until the job is in this state and returns it.
    pub async fn until(&self, id: JobId, state: JobState) -> Job {
        testkit::wait_until(SOON, &format!("{id} to be {state:?}"), async || self.get(id).await.state == state).await;
        self.get(id).await
    }

    /// Waits until the job failed that often and waits for the next attempt.
    pub async fn until_retried(&self, id: JobId, attempts: i64) -> Job {
        let what = format!("attempt {attempts} of {id} to fail");
        testkit::wait_until(SOON, &what, async || {
            let job = self.get(id).await;
            job.state == JobState::Pending && job.attempts == attempts
        })
        .await;
        self.get(id).await
    }
}

/// Fails a test that hangs.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, work).await.unwrap_or_else(|_| panic!("{what} takes too long"))
}
