//! Servers: start, switch, crash, stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::secret::Secret;
use domain::workload::WorkloadSpec;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::support::{World, answering, node, own_label, server, until};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_switches_under_load_fail_no_request() {
    let world = World::new().await;
    world.deploy(node(), &[("server.mjs", &answering("'v0'"))]).await;
    let port = world.listen().await;
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
            tokio::spawn(async move {
                let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
                while !stop.load(Ordering::SeqCst) {
                    let request = Request::get(format!("http://127.0.0.1:{port}/")).header("host", "shop.localhost");
                    let response = client.request(request.body(Empty::new()).unwrap()).await.unwrap();
                    let status = response.status();
                    let body = response.into_body().collect().await.unwrap().to_bytes();
                    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
                    assert!(body.starts_with(b"v"));
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for version in 1..=20 {
        let before = count.load(Ordering::SeqCst);
        world.deploy(node(), &[("server.mjs", &answering(&format!("'v{version}'")))]).await;
        assert_eq!(world.get("shop", "/").await.body, format!("v{version}"));
        until("requests went on", || async { (count.load(Ordering::SeqCst) > before + 10).then_some(()) }).await;
    }
    stop.store(true, Ordering::SeqCst);
    for task in load {
        task.await.unwrap();
    }
    until("only the last one runs", || async { (world.processes() == 1).then_some(()) }).await;
}

#[tokio::test]
async fn a_request_under_way_finishes_where_it_began() {
    let world = World::new().await;
    let slow = "import http from 'node:http';\n\
        http.createServer((q, r) => { if (q.url !== '/slow') return r.end('old');\n\
        console.log('slow began'); setTimeout(() => r.end('old'), 1500) })\n\
        .listen(process.env.PORT, '127.0.0.1');";
    let old = world.deploy(node(), &[("server.mjs", slow)]).await;
    let world = Arc::new(world);
    let request = tokio::spawn({
        let world = Arc::clone(&world);
        async move { world.get("shop", "/slow").await.body }
    });
    until("the request is under way", || async { world.control.log_text(old).contains("slow began").then_some(()) }).await;
    world.deploy(node(), &[("server.mjs", &answering("'new'"))]).await;
    assert_eq!(world.get("shop", "/").await.body, "new");
    assert!(!request.is_finished());
    assert_eq!(request.await.unwrap(), "old");
}

#[tokio::test]
async fn a_superseded_server_is_stopped_and_started_again_on_demand() {
    let world = World::with(|config| config.idle_after = Duration::from_secs(1)).await;
    let old = world.deploy(node(), &[("server.mjs", &answering("'old ' + process.pid"))]).await;
    let first = world.get("shop", "/").await.body;
    world.deploy(node(), &[("server.mjs", &answering("'new'"))]).await;
    until("the old one is stopped", || async { (world.processes() == 1).then_some(()) }).await;
    let again = world.get(&own_label(old), "/").await.body;
    assert!(again.starts_with("old ") && again != first, "{again}");
    assert_eq!(world.processes(), 2);
    until("it is stopped when nobody asks", || async { (world.processes() == 1).then_some(()) }).await;
    assert_eq!(world.get("shop", "/").await.body, "new");
}

#[tokio::test]
async fn a_server_that_crashes_is_started_again() {
    let world = World::new().await;
    let crashing = "import http from 'node:http';\n\
        http.createServer((q, r) => q.url === '/crash' ? process.exit(7) : r.end('pid ' + process.pid))\n\
        .listen(process.env.PORT, '127.0.0.1');";
    let id = world.deploy(node(), &[("server.mjs", crashing)]).await;
    let before = world.get("shop", "/").await.body;
    let crash = world.send("shop", Request::post("/crash")).await;
    assert_eq!(crash.status, 502, "{}", crash.body);
    let after = until("it answers again", || async { Some(world.get("shop", "/").await).filter(|got| got.status == 200) }).await;
    assert_ne!(before, after.body);
    until("the log says why", || async { world.control.log_text(id).contains("exited with status 7").then_some(()) }).await;
}

#[tokio::test]
async fn replicas_share_the_requests() {
    let world = World::new().await;
    let mut spec = server(&["node", "server.mjs"]);
    spec.replicas = 3;
    let id = world.deploy(WorkloadSpec::Server(spec), &[("server.mjs", &answering("process.pid"))]).await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..9 {
        seen.insert(world.get("shop", "/").await.body);
    }
    assert_eq!(seen.len(), 3, "{}", world.control.log_text(id));
    world.cloud.servers.as_ref().unwrap().delete(&world.scope(), id).await.unwrap();
    assert_eq!(world.processes(), 0);
    assert!(!world.config.directory.join("run").join(id.to_string()).exists());
}

#[tokio::test]
async fn the_artifact_stays_as_it_is_and_variables_reach_the_server_but_not_its_log() {
    let world = World::new().await;
    let files = [
        (
            "server.mjs",
            "import fs from 'node:fs'; import http from 'node:http';\n\
        fs.writeFileSync('data.txt', 'changed'); console.log('token is', process.env.TOKEN, process.env.EXTRA);\n\
        http.createServer((q, r) => r.end([process.env.TOKEN, process.env.EXTRA, process.argv[2] === process.env.PORT].join()))\n\
        .listen(process.env.PORT, process.env.HOST);",
        ),
        ("data.txt", "original"),
    ];
    let mut spec = server(&["node", "server.mjs", "$PORT"]);
    spec.env = vec![("EXTRA".to_owned(), "production".to_owned()), ("TOKEN".to_owned(), "overridden".to_owned())];
    let id = domain::id::DeploymentId::new();
    world.control.lock().variables.insert(id, vec![("TOKEN".to_owned(), Secret::new("s3cret-value"))]);
    world.apply_as(id, WorkloadSpec::Server(spec), &files).await;
    world.ready(id).await;
    assert_eq!(world.get(&own_label(id), "/").await.body, "s3cret-value,production,true");
    let log = until("it logged", || async { Some(world.control.log_text(id)).filter(|log| log.contains("token is")) }).await;
    assert!(log.contains("stdout: token is *** production\n"), "{log}");
    let artifact = world.artifact(&files);
    let original = world.control.lock().artifacts[&artifact].join("data.txt");
    assert_eq!(std::fs::read_to_string(original).unwrap(), "original");
}

#[tokio::test]
async fn a_fixed_port_is_handed_from_release_to_release() {
    let world = World::new().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let spec = || {
        let mut spec = server(&["node", "server.mjs"]);
        spec.port = Some(port);
        WorkloadSpec::Server(spec)
    };
    let fixed = |text: &str| answering(&format!("'{text}'")).replace("process.env.PORT", &port.to_string());
    world.deploy(spec(), &[("server.mjs", &fixed("one"))]).await;
    assert_eq!(world.get("shop", "/").await.body, "one");
    let second = world.deploy(spec(), &[("server.mjs", &fixed("two"))]).await;
    assert_eq!(world.get("shop", "/").await.body, "two");
    until("the log says so", || async { world.control.log_text(second).contains("has to be stopped first").then_some(()) }).await;
    // One that does not come up gives the port back to the one that is live.
    let broken = world.apply(spec(), &[("server.mjs", "process.exit(1)")]).await;
    assert_eq!(world.failure(broken).await.0, "SERVER_EXITED");
    until("the live one is back", || async { (world.get("shop", "/").await.body == "two").then_some(()) }).await;
}

#[tokio::test]
async fn a_deployment_that_does_not_answer_is_not_shown() {
    let world = World::with(|config| config.start_deadline = Duration::from_secs(30)).await;
    world.deploy(node(), &[("server.mjs", &answering("'good'"))]).await;
    let dead = world.apply(node(), &[("server.mjs", "setInterval(() => {}, 1000)")]).await;
    world.control.lock().routes.insert("shop".to_owned(), dead);
    world.edge.refresh();
    until("the new one was started", || async { (world.processes() == 2).then_some(()) }).await;
    for _ in 0..20 {
        assert_eq!(world.get("shop", "/").await.body, "good");
    }
}

#[tokio::test]
async fn a_request_that_crashes_processes_is_not_offered_to_all_of_them() {
    let world = World::new().await;
    let fragile = "import http from 'node:http';\n\
        http.createServer((q, r) => q.url === '/crash' ? process.exit(7) : r.end('pid ' + process.pid))\n\
        .listen(process.env.PORT, '127.0.0.1');";
    let mut spec = server(&["node", "server.mjs"]);
    spec.replicas = 3;
    let id = world.deploy(WorkloadSpec::Server(spec), &[("server.mjs", fragile)]).await;
    assert_eq!(world.get("shop", "/crash").await.status, 502);
    assert_eq!(world.get("shop", "/").await.status, 200);
    until("both are noticed", || async {
        (world.control.log_text(id).matches("exited with status 7").count() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_process_that_dies_under_load_costs_no_request_that_may_be_repeated() {
    let world = World::new().await;
    let mut spec = server(&["node", "server.mjs"]);
    spec.replicas = 2;
    world.deploy(WorkloadSpec::Server(spec), &[("server.mjs", &answering("process.pid"))]).await;
    for _ in 0..3 {
        until("both answer", || async {
            let (one, two) = (world.get("shop", "/").await, world.get("shop", "/").await);
            (one.body != two.body).then_some(())
        })
        .await;
        let victim: i32 = world.get("shop", "/").await.body.parse().unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(victim).unwrap(), rustix::process::Signal::KILL).unwrap();
        for _ in 0..50 {
            let got = world.get("shop", "/").await;
            assert_eq!(got.status, 200, "{}", got.body);
        }
    }
}

#[tokio::test]
async fn a_start_that_fails_through_no_fault_of_the_server_is_tried_again() {
    let world = World::new().await;
    let text = answering("'up'");
    let artifact = world.artifact(&[("server.mjs", &text)]);
    let root = world.control.lock().artifacts[&artifact].clone();
    let away = root.with_extension("away");
    std::fs::rename(&root, &away).unwrap();
    let id = domain::id::DeploymentId::new();
    world.apply_known(id, node(), artifact).await;
    until("it waits", || async {
        let observed = world.control.observed(id);
        matches!(observed, clouds_contract::Observation::Pending { detail } if detail.contains("copied")).then_some(())
    })
    .await;
    std::fs::rename(&away, &root).unwrap();
    world.ready(id).await;
    assert_eq!(world.get(&own_label(id), "/").await.body, "up");
}

#[tokio::test]
async fn a_server_that_listens_elsewhere_is_told_where_at_once() {
    let world = World::new().await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = answering("'here'").replace("process.env.PORT", &other.to_string());
    let id = world.apply(node(), &[("server.mjs", &text)]).await;
    let told = format!("system: so far the server listens on port {other}, not on port ");
    until("the log says where", || async { world.control.log_text(id).contains(&told).then_some(()) }).await;
    assert!(matches!(world.control.observed(id), clouds_contract::Observation::Pending { .. }));
    world.cloud.servers.as_ref().unwrap().delete(&world.scope(), id).await.unwrap();
}

#[tokio::test]
async fn a_server_that_fails_is_told_by_its_cause() {
    let world = World::new().await;
    let id = world.apply(node(), &[("server.mjs", "console.log('begun'); throw new Error('no database')")]).await;
    let (code, message) = world.failure(id).await;
    let first = message.lines().next().unwrap();
    assert_eq!(
        (code.as_str(), first),
        ("SERVER_EXITED", "the server exited with status 1 before it answered: Error: no database; its last lines:")
    );
    assert!(message.contains("\nbegun\n"), "{message}");
    assert!(!world.control.log_text(id).contains("system: the server exited"), "{}", world.control.log_text(id));
}
