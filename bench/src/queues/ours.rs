//! MikroCloud's queue with a job that does nothing: the parts that `mikrocloud worker` is made of.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use domain::id::TeamId;
use jobs::payload::{BUILD, Payload, Queue, job_of};
use jobs::{
    EventBus, Handler, Housekeeping, JobAttempt, JobError, LeaseSettings, Outcome, Redis, Registration, Runner, Sweeper, Wakeups,
    Workers,
};
use serde::{Deserialize, Serialize};
use store::{Store, StoreError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Number of rows that one transaction of the backlog writes.
const CHUNK: usize = 500;

/// Runs `fill COUNT`, `pace COUNT` or `work FILE CONCURRENCY`, as the scripts of the other queues do.
pub async fn run(arguments: &[String]) -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let [verb, database, redis, rest @ ..] = arguments else { bail!("usage: bench queue VERB DATABASE REDIS ...") };
    let store = Store::postgres(database, 10).await?;
    store.migrate().await?;
    let redis = Redis::new(&redis.parse()?)?;
    match (verb.as_str(), rest) {
        ("fill", [count]) => Producer::new(store, &redis).fill(count.parse()?).await,
        ("pace", [count]) => Producer::new(store, &redis).pace(count.parse()?).await,
        ("work", [file, concurrency]) => work(store, &redis, file, concurrency.parse()?).await,
        _ => bail!("usage: bench queue fill|pace|work DATABASE REDIS ..."),
    }
}

#[derive(Serialize, Deserialize)]
struct BenchJob {
    team: TeamId,
    /// Just before it was enqueued, microseconds since 1970.
    at: u64,
}

impl Payload for BenchJob {
    const KIND: &'static str = "bench";
    const QUEUE: Queue = BUILD;
    const MAX_ATTEMPTS: i64 = 3;
    const TIMEOUT: Duration = Duration::from_mins(1);

    fn team_id(&self) -> TeamId {
        self.team
    }

    fn subject_id(&self) -> Option<Uuid> {
        None
    }

    fn exclusion_key(&self) -> Option<String> {
        None
    }
}

struct Producer {
    store: Store,
    redis: Redis,
    wakeups: Wakeups,
    team: TeamId,
}

impl Producer {
    fn new(store: Store, redis: &Redis) -> Self {
        Self { store, redis: redis.clone(), wakeups: Wakeups::over_redis(&[], redis), team: TeamId::new() }
    }

    async fn enqueue(&self, count: usize) -> Result<()> {
        let payload = BenchJob { team: self.team, at: micros() };
        let jobs: Vec<_> = (0..count).map(|_| job_of(&payload)).collect();
        let mut tx = self.store.begin().await?;
        for job in &jobs {
            tx.job_insert(job).await?;
        }
        tx.commit().await?;
        for job in &jobs {
            self.wakeups.push(job.queue, job.due());
        }
        Ok(())
    }

    async fn fill(&self, count: usize) -> Result<()> {
        for done in (0..count).step_by(CHUNK) {
            self.enqueue(CHUNK.min(count - done)).await?;
        }
        let team = format!("mikrocloud:{{build}}:team:{}", self.team.uuid().simple());
        let started = Instant::now();
        let waiting = async || self.redis.command::<usize>(redis::cmd("ZCARD").arg(&team)).await;
        while waiting().await? < count {
            ensure!(started.elapsed() < Duration::from_mins(1), "Redis does not hear of all jobs");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn pace(&self, count: usize) -> Result<()> {
        let mut beat = interval(Duration::from_millis(5));
        for _ in 0..count {
            beat.tick().await;
            self.enqueue(1).await?;
        }
        // What was pushed last is still on its way to Redis; the workers' sweepers would find it, a second later.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(())
    }
}

/// Writes down how long each job waited, microseconds.
#[derive(Clone, Default)]
struct Stopwatch(Arc<Mutex<Vec<u64>>>);

#[async_trait]
impl Handler for Stopwatch {
    async fn run(&self, run: JobAttempt) -> Result<Outcome, JobError> {
        let now = micros();
        let payload: BenchJob = run.payload::<BenchJob>()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(now.saturating_sub(payload.at));
        Ok(Outcome::Done)
    }
}

/// The benchmark has nothing else in its database.
struct NothingElse;

#[async_trait]
impl Housekeeping for NothingElse {
    async fn keep_invariants(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn purge(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

async fn work(store: Store, redis: &Redis, file: &str, concurrency: usize) -> Result<()> {
    let stop = CancellationToken::new();
    let (bus, wakeups) = (EventBus::over_redis(redis), Wakeups::over_redis(&["build"], redis));
    tokio::spawn(jobs::redis::relay(redis.clone(), bus.clone(), wakeups.clone(), stop.clone()));
    let stopwatch = Stopwatch::default();
    let registrations = vec![Registration::of::<BenchJob>(stopwatch.clone())];
    let runner = Runner::new(
        store.clone(),
        bus.clone(),
        wakeups.clone(),
        LeaseSettings::default(),
        registrations,
        CancellationToken::new(),
    );
    let sweeping = tokio::spawn(Sweeper::new(store, wakeups.clone(), Arc::new(NothingElse)).run(stop.clone()));
    let workers = Workers::start(&Arc::new(runner), &wakeups, &[("build", concurrency)]);
    println!("ready worker");
    signal(SignalKind::terminate())?.recv().await;
    stop.cancel();
    workers.stop().await;
    sweeping.await.context("the sweeper panicked")?;
    let waits = stopwatch.0.lock().unwrap_or_else(PoisonError::into_inner);
    std::fs::write(file, serde_json::to_string(&*waits)?)?;
    Ok(())
}

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
