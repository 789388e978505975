//! Machines whose clocks are wrong.

use crate::harness::{BINARY, Cluster, Repository, Shape};
use crate::invariants::check_deployments;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_five_minutes_off_take_no_job_from_anybody() {
    if std::process::Command::new("faketime").arg("--version").output().is_err() {
        eprintln!("faketime is not installed: wrong clocks are not tested. On Debian: apt-get install faketime");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "faketime is not installed");
        return;
    }
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 2, edges: 2 }).await else { return };
    // One of each is early or late; the others are right.
    for (kind, clock) in [("api", "+5m"), ("worker", "-5m"), ("edge", "+5m")] {
        let index = cluster.of(kind)[0];
        cluster.roles[index].clock = Some(clock);
        cluster.replace(index, BINARY.as_ref()).await;
    }
    let mut repository = Repository::new(cluster.directory.path(), "page");
    let project = cluster.create_project("page", &repository).await;
    for number in 0..6 {
        let body = format!("version {number}");
        let commit = repository.commit(&[("index.html", body.clone())], &body);
        cluster.trigger(&project, &commit).await;
        let all = cluster.ended(&project).await;
        check_deployments(&all);
        assert_eq!(all[0]["status"], "LIVE", "{}", all[0]);
        cluster.shows("page", &body).await;
    }
    // Everybody wrote the database's time, and both workers worked.
    let far = "SELECT id::text FROM deployments WHERE abs(extract(epoch FROM created_at - now())) > 120";
    assert_eq!(cluster.rows(far).await, Vec::<String>::new());
    let workers = "SELECT DISTINCT worker FROM jobs WHERE kind IN ('build', 'release')";
    assert_eq!(cluster.rows(workers).await.len(), 2, "both took some");
    assert_eq!(cluster.rows("SELECT error FROM job_failures").await, Vec::<String>::new(), "no lease was lost");
    let edges = "SELECT id::text FROM edges WHERE abs(extract(epoch FROM seen_at - now())) > 60";
    assert_eq!(cluster.rows(edges).await, Vec::<String>::new());
}
