//! Dispatch and hints over Redis, and what happens when Redis fails. Two rigs on one database stand for two processes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::id::{DeploymentId, JobId, TeamId};
use domain::job::JobState;
use jobs::payload::job_of;
use jobs::{EventBus, JobAttempt, JobError, Outcome, Redis, Topic, Wakeups};
use store::Store;
use testkit::Database;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::common::open;
use crate::rig::{BRISK, CALM, Rig, SOON, TestJob, within};

struct Bench {
    server: testkit::Redis,
    database: Database,
}

impl Bench {
    /// `None` where a server is not installed, which is said.
    async fn new() -> Option<Self> {
        Some(Self { server: testkit::Redis::start()?, database: Database::postgres().await? })
    }

    fn redis(&self) -> Redis {
        connect(&self.server.url())
    }

    async fn store(&self) -> Store {
        open(&self.database).await
    }

    /// A process whose jobs all do this.
    async fn rig<A>(&self, script: impl Fn(JobAttempt) -> A + Clone + Send + Sync + 'static) -> Rig
    where
        A: Future<Output = Result<Outcome, JobError>> + Send + 'static,
    {
        Rig::over_redis(&self.redis(), self.store().await, CALM, script)
    }
}

fn connect(url: &str) -> Redis {
    Redis::new(&url.parse().unwrap()).unwrap()
}

/// Counts how often each job ran.
#[derive(Clone, Default)]
struct Runs(Arc<Mutex<HashMap<JobId, usize>>>);

impl Runs {
    fn script(&self) -> impl Fn(JobAttempt) -> std::future::Ready<Result<Outcome, JobError>> + Clone + Send + Sync + 'static {
        let runs = Arc::clone(&self.0);
        move |run| {
            *runs.lock().unwrap().entry(run.job.id).or_default() += 1;
            std::future::ready(Ok(Outcome::Done))
        }
    }

    /// Returns the number of jobs that ran, and the maximum number of runs of one job.
    fn seen(&self) -> (usize, usize) {
        let runs = self.0.lock().unwrap();
        (runs.len(), runs.values().copied().max().unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_one_process_wakes_a_worker_of_another() {
    let Some(bench) = Bench::new().await else { return };
    let ran = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&ran);
    let busy = bench
        .rig(move |_| {
            gate.add_permits(1);
            async { Ok(Outcome::Done) }
        })
        .await;
    let workers = busy.workers(2);
    // It has no worker, and nobody sweeps.
    let asking = Rig { wakeups: Wakeups::over_redis(&[], &bench.redis()), ..bench.rig(|_| async { Ok(Outcome::Done) }).await };
    for _ in 0..100 {
        asking.start(&asking.job()).await;
        within("the run", ran.acquire()).await.unwrap().forget();
    }
    within("the end of the workers", workers.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_ten_thousand_jobs_and_do_each_once() {
    const COUNT: usize = 10_000;
    let Some(bench) = Bench::new().await else { return };
    let runs = Runs::default();
    let rigs = [bench.rig(runs.script()).await, bench.rig(runs.script()).await];
    let jobs: Vec<_> = (0..COUNT).map(|_| job_of(&rigs[0].job())).collect();
    for batch in jobs.chunks(1000) {
        // A backlog of this size was the end of other queues: all of it is pushed before a worker is there.
        for id in rigs[0].insert(batch).await {
            rigs[0].wake(id);
        }
    }
    let workers = rigs.each_ref().map(|rig| rig.workers(8));
    let stop = CancellationToken::new();
    let sweeping = rigs.each_ref().map(|rig| tokio::spawn(rig.sweeper().run(stop.clone())));
    testkit::wait_until(Duration::from_mins(2), "all jobs to be done", async || {
        rigs[0].store.job_state_counts().await.unwrap().iter().all(|(_, state, _)| *state == JobState::Done)
    })
    .await;
    stop.cancel();
    for sweeping in sweeping {
        within("the end of a sweeper", sweeping).await.unwrap();
    }
    for workers in workers {
        within("the end of the workers", workers.stop()).await;
    }
    assert_eq!(runs.seen(), (COUNT, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_with_a_backlog_does_not_hold_up_another() {
    let Some(bench) = Bench::new().await else { return };
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    let rig = bench
        .rig(move |run: JobAttempt| {
            seen.lock().unwrap().push(run.job.id);
            async { Ok(Outcome::Done) }
        })
        .await;
    for _ in 0..50 {
        rig.start(&rig.job()).await;
    }
    let other = Rig { team: TeamId::new(), ..bench.rig(|_| async { Ok(Outcome::Done) }).await };
    let single = other.start(&other.job()).await;
    // Its push has arrived once its team stands in the ring.
    testkit::wait_until(SOON, "both teams to wait", async || bench.server.run(&["ZCARD", "mikrocloud:{build}:ring"]) == "2")
        .await;
    let workers = rig.workers(1);
    testkit::wait_until(SOON, "all to be done", async || order.lock().unwrap().len() == 51).await;
    within("the end of the workers", workers.stop()).await;
    let place = order.lock().unwrap().iter().position(|id| *id == single).unwrap();
    assert!(place <= 2, "it came as number {place}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_process_leaves_what_it_cannot_start_to_others() {
    let Some(bench) = Bench::new().await else { return };
    let (started, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gates = (Arc::clone(&started), Arc::clone(&go_on));
    let busy = bench
        .rig(move |_| {
            let (started, go_on) = gates.clone();
            async move {
                started.add_permits(1);
                go_on.acquire().await.unwrap().forget();
                Ok(Outcome::Done)
            }
        })
        .await;
    for _ in 0..6 {
        busy.start(&busy.job()).await;
    }
    let busy_workers = busy.workers(2);
    within("the first two", started.acquire_many(2)).await.unwrap().forget();
    let runs = Runs::default();
    let idle_workers = bench.rig(runs.script()).await.workers(2);
    // Nobody sweeps: what the busy one had taken would stay with it.
    testkit::wait_until(SOON, "the other four", async || runs.seen().0 == 4).await;
    go_on.add_permits(2);
    within("the end of the workers", busy_workers.stop()).await;
    within("the end of the workers", idle_workers.stop()).await;
    assert_eq!(runs.seen(), (4, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_loses_the_sweeper_finds() {
    let Some(mut bench) = Bench::new().await else { return };
    let runs = Runs::default();
    let rig = bench.rig(runs.script()).await;
    for _ in 0..20 {
        rig.start(&rig.job()).await;
    }
    testkit::wait_until(SOON, "the pushes", async || bench.server.run(&["EXISTS", "mikrocloud:{build}:ring"]) == "1").await;
    bench.server.run(&["FLUSHALL"]);
    let workers = rig.workers(4);
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(rig.sweeper().run(stop.clone()));
    testkit::wait_until(SOON, "all to be done", async || runs.seen().0 == 20).await;
    // Absent: the sweeper feeds the workers of its own process.
    bench.server.kill();
    rig.start(&rig.job()).await;
    testkit::wait_until(SOON, "a job without Redis", async || runs.seen().0 == 21).await;
    // Back, empty: by itself all is as before, without a sweeper.
    bench.server.restart();
    stop.cancel();
    within("the end of the sweeper", sweeping).await.unwrap();
    let redis = bench.redis();
    testkit::wait_until(SOON, "a job over the new Redis", async || {
        rig.start(&rig.job()).await;
        redis.ping().await.is_ok() && bench.server.run(&["EXISTS", "mikrocloud:{build}:turn"]) == "1"
    })
    .await;
    within("the end of the workers", workers.stop()).await;
    assert_eq!(runs.seen().1, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calling_off_reaches_the_worker_of_another_process() {
    let Some(bench) = Bench::new().await else { return };
    let (started, stopped) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let gates = (Arc::clone(&started), Arc::clone(&stopped));
    let working = bench
        .rig(move |run: JobAttempt| {
            let (started, stopped) = gates.clone();
            async move {
                started.add_permits(1);
                run.stop.cancelled().await;
                stopped.fetch_add(1, Ordering::SeqCst);
                Err(JobError::Stopped)
            }
        })
        .await;
    let workers = working.workers(1);
    let subject = uuid::Uuid::now_v7();
    let id = working.start(&TestJob { subject: Some(subject), ..working.job() }).await;
    within("the start", started.acquire()).await.unwrap().forget();
    // The other process has nothing of the first but the database and Redis. The heartbeat of the first comes in an hour.
    let other = bench.store().await;
    let mut tx = other.begin().await.unwrap();
    assert_eq!(tx.job_cancel_subject(working.team, subject).await.unwrap(), [id]);
    tx.commit().await.unwrap();
    let bus = EventBus::over_redis(&bench.redis());
    testkit::wait_until(SOON, "the handler to stop", async || {
        bus.publish(Topic::Job(id));
        stopped.load(Ordering::SeqCst) == 1
    })
    .await;
    within("the end of the workers", workers.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribers_are_told_to_look_after_a_gap() {
    let Some(mut server) = testkit::Redis::start() else { return };
    let redis = connect(&server.url());
    let (here, there) = (EventBus::over_redis(&redis), EventBus::over_redis(&connect(&server.url())));
    let topic = Topic::DeploymentEvents(DeploymentId::new());
    let mut subscription = here.subscribe(topic);
    let stop = CancellationToken::new();
    let relaying = tokio::spawn(jobs::redis::relay(redis, here.clone(), Wakeups::new(&[]), stop.clone()));
    // The first connection tells everybody to look, as every later one does.
    within("the connection", subscription.changed()).await;
    there.publish(topic);
    within("a hint from another process", subscription.changed()).await;
    server.restart();
    within("the new connection", subscription.changed()).await;
    stop.cancel();
    within("the end of the relay", relaying).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_or_password_is_said() {
    let nobody = connect("redis://127.0.0.1:1");
    let error = nobody.wait(Duration::from_millis(10)).await.unwrap_err();
    assert!(error.starts_with("Redis at redis://127.0.0.1:1 does not answer: "), "{error}");
    let Some(server) = testkit::Redis::start_with(&["--requirepass", "geheim"]) else { return };
    let error = connect(&server.url()).wait(Duration::from_millis(10)).await.unwrap_err();
    assert!(error.contains("asks for a password"), "{error}");
    let wrong = server.url().replace("//", "//:falsch@");
    let error = connect(&wrong).wait(SOON).await.unwrap_err();
    assert!(error.contains("refuses the user name or the password") && !error.contains("falsch"), "{error}");
    connect(&server.url().replace("//", "//:geheim@")).wait(SOON).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_memory_stops_nothing() {
    let Some(bench) = Bench::new().await else { return };
    bench.server.run(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    bench.server.run(&["CONFIG", "SET", "maxmemory", "1"]);
    let runs = Runs::default();
    let rig = Rig::over_redis(&bench.redis(), bench.store().await, BRISK, runs.script());
    let workers = rig.workers(2);
    let id = rig.start(&rig.job()).await;
    // The push is refused (`OOM command not allowed`); the worker of the same process gets the job all the same.
    rig.until(id, JobState::Done).await;
    within("the end of the workers", workers.stop()).await;
}
