//! Schedules over several processes.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::harness::{Cluster, PATIENCE, Repository, Shape};

const SCHEDULES: usize = 20;
const DUE_TIMES: usize = 200;

/// Time after which the alert on a late run has to come.
const ALERT_WITHIN: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_two_hundred_times_fires_once_over_four_processes_and_without_workers_an_alert_is_raised() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 2, edges: 1 }).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "clock");
    let project = cluster.create_project("clock", &repository).await;
    let commit = repository.commit(&[("index.html", "tick".to_owned())], "tick");
    cluster.trigger(&project, &commit).await;
    cluster.ended(&project).await;
    cluster.shows("clock", "tick").await;
    let query =
        "mutation($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } userErrors { message } } }";
    for number in 0..SCHEDULES {
        let input = json!({"projectId": project, "name": format!("every second {number}"), "cron": "* * * * * *", "path": "/"});
        let created = cluster.graphql(query, json!({"input": input})).await;
        assert!(created["createSchedule"]["schedule"]["id"].is_string(), "{created}");
    }
    let started = Instant::now();
    while count(&cluster, "SELECT COUNT(*)::TEXT FROM expected_runs WHERE state = 'done'").await < DUE_TIMES {
        assert!(
            started.elapsed() < PATIENCE,
            "{:?}",
            cluster.rows("SELECT state || ' ' || COALESCE(outcome, '') FROM expected_runs").await
        );
        sleep(Duration::from_millis(200)).await;
    }
    let again = "SELECT payload::TEXT FROM jobs WHERE kind = 'run' GROUP BY payload::TEXT HAVING COUNT(*) > 1";
    assert_eq!(cluster.rows(again).await, Vec::<String>::new(), "a time has two jobs");
    assert_eq!(cluster.rows("SELECT id::TEXT FROM jobs WHERE kind = 'run' AND attempts > 1").await, Vec::<String>::new());
    // No second was left out between the first and the last of each schedule.
    let gaps = "SELECT schedule_id::TEXT FROM expected_runs GROUP BY schedule_id
        HAVING COUNT(*) <> EXTRACT(EPOCH FROM MAX(due_at) - MIN(due_at))::BIGINT + 1";
    assert_eq!(cluster.rows(gaps).await, Vec::<String>::new());

    for worker in cluster.of("worker") {
        cluster.roles[worker].kill().await;
    }
    let stopped = Instant::now();
    while cluster
        .rows("SELECT message FROM alerts WHERE kind = 'run_missed' AND message LIKE '%no worker took it%'")
        .await
        .is_empty()
    {
        assert!(stopped.elapsed() < ALERT_WITHIN, "no alert");
        sleep(Duration::from_millis(500)).await;
    }
    eprintln!("the alert came {} s after the last worker was gone", stopped.elapsed().as_secs());
}

async fn count(cluster: &Cluster, sql: &'static str) -> usize {
    cluster.rows(sql).await[0].parse().unwrap()
}
