//! Workers that sleep too long, and jobs that kill them.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::harness::{Cluster, LEASE, PATIENCE, Repository, Shape};
use crate::invariants::check_deployments;

/// A project whose build runs this program of Node.
fn build(code: &str) -> Vec<(&'static str, String)> {
    let manifest = "[project]\nkind = \"static\"\n[build]\ncommand = \"node build.cjs\"\noutput = \"out\"\n";
    let page = "require('fs').mkdirSync('out', {recursive: true}); require('fs').writeFileSync('out/index.html', 'built');";
    vec![("mikrocloud.toml", manifest.to_owned()), ("build.cjs", format!("{page}\n{code}"))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_slept_for_three_leases_writes_nothing_more() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 1, workers: 2, edges: 1 }).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "slow");
    let project = cluster.create_project("slow", &repository).await;
    let commit = repository.commit(&build("console.log('begun'); setTimeout(() => {}, 4000);"), "built");
    let id = cluster.trigger(&project, &commit).await;
    let holder = holder(&cluster).await;
    eventually(&cluster, "the build to begin", "SELECT text FROM log_lines WHERE text = 'begun'").await;
    cluster.roles[holder].signal(Signal::STOP);
    sleep(Duration::from_secs(3 * LEASE)).await;
    let all = cluster.ended(&project).await;
    cluster.roles[holder].signal(Signal::CONT);
    assert_eq!(all[0]["status"], "LIVE", "{all:?}");
    // It wakes up in the middle of its build, finds its lease lost, and stops.
    let started = Instant::now();
    while !cluster.roles[holder].log().contains("lease") {
        assert!(started.elapsed() < PATIENCE, "{}", cluster.roles[holder].log_tail());
        sleep(Duration::from_millis(100)).await;
    }
    let after = cluster.deployments(&project).await;
    assert_eq!(after, all, "nothing changed for {id}");
    check_deployments(&after);
    cluster.shows("slow", "built").await;
}

/// Waits until the database has a row of this.
async fn eventually(cluster: &Cluster, what: &str, sql: &'static str) {
    let started = Instant::now();
    while cluster.rows(sql).await.is_empty() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The worker that runs the only job.
async fn holder(cluster: &Cluster) -> usize {
    let started = Instant::now();
    loop {
        let running = cluster.rows("SELECT worker FROM jobs WHERE state = 'running'").await;
        let pid = running.first().and_then(|worker| worker.rsplit(':').next()?.parse::<u32>().ok());
        let found = cluster.of("worker").into_iter().find(|index| cluster.roles[*index].pid() == pid && pid.is_some());
        if let Some(index) = found {
            return index;
        }
        assert!(started.elapsed() < PATIENCE, "no worker takes the job: {running:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_kills_its_worker_ends_in_the_dead_set_and_others_go_on() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 1, workers: 2, edges: 1 }).await else { return };
    let mut good = Repository::new(cluster.directory.path(), "good");
    let mut evil = Repository::new(cluster.directory.path(), "evil");
    let (good_id, evil_id) = (cluster.create_project("good", &good).await, cluster.create_project("evil", &evil).await);
    let commit = evil.commit(&build("process.kill(process.ppid, 'SIGKILL');"), "never");
    cluster.trigger(&evil_id, &commit).await;
    let commit = good.commit(&build(""), "built");
    cluster.trigger(&good_id, &commit).await;
    let evil_ended = cluster.ended(&evil_id).await;
    assert_eq!((&evil_ended[0]["status"], &evil_ended[0]["failure"]["code"]), (&"FAILED".into(), &"WORKER_LOST".into()));
    assert_eq!(cluster.ended(&good_id).await[0]["status"], "LIVE");
    cluster.shows("good", "built").await;
    let dead = cluster.rows("SELECT kind || ' ' || attempts FROM jobs WHERE state = 'dead'").await;
    assert_eq!(dead, ["build 4"]);
    let failures = cluster.rows("SELECT error FROM job_failures").await;
    assert!(failures.len() >= 4 && failures.iter().all(|error| error.contains("no sign of life")), "{failures:?}");
}
