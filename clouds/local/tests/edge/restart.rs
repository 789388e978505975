//! Tests that live deployments stay live over restarts of MikroCloud.

use std::time::Duration;

use clouds_contract::Observation;
use domain::workload::{Runtime, WorkloadSpec};

use crate::support::{World, answering, functions, marked, node, own_label, site, until};

#[tokio::test]
async fn after_a_restart_everything_is_back_and_no_process_is_left_over() {
    let world = World::new().await;
    let old = world.deploy(node(), &[("server.mjs", &answering("'old'"))]).await;
    let new = world.deploy(node(), &[("server.mjs", &answering("'new ' + process.pid"))]).await;
    let files = world.apply(site(), &[("index.html", "files")]).await;
    let calls = world
        .apply(
            WorkloadSpec::Functions(functions(&[("/f", "f.mjs", Runtime::Node)])),
            &[("f.mjs", "export default () => new Response('f')")],
        )
        .await;
    world.ready(files).await;
    world.ready(calls).await;
    let before = world.get("shop", "/").await.body;

    let orphan = tokio::process::Command::new("sleep")
        .arg("1000")
        .env("MIKROCLOUD_PROCESS", format!("{}:edge:orphan", world.config.instance))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    std::fs::create_dir_all(world.config.directory.join("run/.new-half")).unwrap();
    std::fs::create_dir_all(world.config.directory.join("static/.new-half")).unwrap();
    let world = world.restart().await;
    drop(orphan);

    let after = until("it answers", || async { Some(world.get("shop", "/").await).filter(|got| got.status == 200) }).await;
    assert!(after.body.starts_with("new ") && after.body != before, "{}", after.body);
    assert_eq!(world.get(&own_label(files), "/").await.body, "files");
    assert_eq!(world.get(&own_label(calls), "/f").await.body, "f");
    assert_eq!(world.get(&own_label(old), "/").await.body, "old");
    for id in [old, new, files, calls] {
        assert!(matches!(world.control.observed(id), Observation::Ready { .. }), "{:?}", world.control.observed(id));
    }
    assert!(!world.config.directory.join("run/.new-half").exists());
    assert!(!world.config.directory.join("static/.new-half").exists());
    let orphans = marked(&format!("{}:edge:orphan", world.config.instance));
    assert!(orphans.is_empty(), "{orphans:?}");
    until("one process each is left", || async { (world.processes() == 3).then_some(()) }).await;
}

#[tokio::test]
async fn a_shutdown_lets_requests_finish_and_leaves_no_process() {
    let world = World::new().await;
    let slow = "import http from 'node:http';\n\
        http.createServer((q, r) => { if (q.url !== '/slow') return r.end('up');\n\
        console.log('slow began'); setTimeout(() => r.end('done'), 1000) })\n\
        .listen(process.env.PORT, '127.0.0.1');";
    let id = world.deploy(node(), &[("server.mjs", slow)]).await;
    let edge = world.edge.clone();
    let request = async { world.get("shop", "/slow").await.body };
    let shutdown = async {
        until("the request is under way", || async { world.control.log_text(id).contains("slow began").then_some(()) }).await;
        edge.shutdown(Duration::from_secs(10)).await;
    };
    let (body, ()) = tokio::join!(request, shutdown);
    assert_eq!(body, "done");
    assert_eq!(world.processes(), 0);
}

#[tokio::test]
async fn what_failed_before_a_restart_is_not_tried_again() {
    let world = World::new().await;
    let id = world.apply(node(), &[("server.mjs", "process.exit(1)")]).await;
    world.failure(id).await;
    let world = world.restart().await;
    let page = world.get(&own_label(id), "/").await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("exited with status 1"), "{}", page.body);
    assert_eq!(world.control.lock().reports.len(), 1);
}
