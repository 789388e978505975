//! One limit over all api processes.

use crate::harness::{Cluster, Shape};

/// Number of requests that pass of so many, asked of one process after the other.
async fn passed(cluster: &Cluster, requests: usize) -> usize {
    let mut passed = 0;
    for number in 0..requests {
        match cluster.status(number).await {
            200 => passed += 1,
            429 => {}
            status => panic!("{status}"),
        }
    }
    passed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_processes_share_a_limit_that_outlives_each_of_them() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 0, edges: 0 }).await else { return };
    cluster.rate_limit = 20;
    for api in cluster.of("api") {
        cluster.roles[api].kill().await;
    }
    cluster.supervise().await;
    assert_eq!(passed(&cluster, 12).await, 12);
    // A process that starts anew knows what was counted before.
    let first = cluster.of("api")[0];
    cluster.roles[first].kill().await;
    cluster.supervise().await;
    assert_eq!(passed(&cluster, 12).await, 8);
    assert_eq!(passed(&cluster, 4).await, 0);
    // Redis goes and comes back empty: whoever was over the limit stays so, in each process.
    cluster.redis.restart();
    assert_eq!(passed(&cluster, 4).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_and_one_requests_to_three_processes_the_last_is_refused() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 3, workers: 0, edges: 0 }).await else { return };
    cluster.rate_limit = 1000;
    for api in cluster.of("api") {
        cluster.roles[api].kill().await;
    }
    cluster.supervise().await;
    assert_eq!(passed(&cluster, 1000).await, 1000);
    for number in 0..3 {
        assert_eq!(cluster.status(number).await, 429, "process {number}");
    }
}
