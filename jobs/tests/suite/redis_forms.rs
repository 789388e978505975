//! Redis behind TLS, behind Sentinel, and as a Cluster.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use jobs::{Outcome, Redis};
use testkit::Database;
use tokio::sync::Semaphore;

use crate::rig::{CALM, Rig, SOON, within};

/// Jobs wake workers, and hints arrive.
async fn it_works(url: &str) {
    let Some(database) = Database::postgres().await else { return };
    let redis = Redis::new(&url.parse().unwrap()).unwrap();
    redis.wait(SOON).await.unwrap();
    let ran = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&ran);
    let store = crate::common::open(&database).await;
    let rig = Rig::over_redis(&redis, store, CALM, move |_| {
        gate.add_permits(1);
        async { Ok(Outcome::Done) }
    });
    let workers = rig.workers(2);
    for _ in 0..20 {
        rig.start(&rig.job()).await;
        within("the run", ran.acquire()).await.unwrap().forget();
    }
    within("the end of the workers", workers.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster() {
    let Some(server) = testkit::Redis::start_with(&["--cluster-enabled", "yes"]) else { return };
    server.run(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    testkit::wait_until(SOON, "the cluster", async || server.run(&["CLUSTER", "INFO"]).contains("cluster_state:ok")).await;
    it_works(&format!("redis+cluster://127.0.0.1:{}", server.port())).await;
}

/// A Sentinel that goes with its test.
struct Sentinel(Child);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_behind_sentinel() {
    let Some(server) = testkit::Redis::start_with(&["--requirepass", "geheim"]) else { return };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let configuration = server.directory().join("sentinel.conf");
    let monitor = format!("sentinel monitor main 127.0.0.1 {} 1", server.port());
    let settings = format!("port {port}\nbind 127.0.0.1\n{monitor}\nsentinel auth-pass main geheim\n");
    std::fs::write(&configuration, settings).unwrap();
    let mut command = Command::new("redis-server");
    command.arg(&configuration).arg("--sentinel").stdout(Stdio::null()).stderr(Stdio::null());
    let _sentinel = Sentinel(command.spawn().unwrap());
    it_works(&format!("redis+sentinel://:geheim@127.0.0.1:{port}/main")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_behind_tls_whose_authority_is_unknown() {
    let Some(server) = testkit::Redis::start() else { return };
    let port = server.listen_with_tls(&testkit::Certificate::new(server.directory()));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("rediss://127.0.0.1:{port}");
    let untrusted = Redis::new(&url.parse().unwrap()).unwrap();
    let error = untrusted.wait(std::time::Duration::from_millis(1)).await.unwrap_err();
    assert!(error.to_lowercase().contains("certificate"), "{error}");
}
