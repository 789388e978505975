//! Servers that misbehave.

use std::time::Duration;

use domain::workload::WorkloadSpec;

use crate::support::{World, answering, node, own_label, server, until};

#[tokio::test]
async fn a_server_that_exits_at_once_fails_with_its_last_lines() {
    let world = World::new().await;
    let id = world.apply(node(), &[("server.mjs", "console.error('cannot find the database'); process.exit(3)")]).await;
    let (code, message) = world.failure(id).await;
    assert_eq!(code, "SERVER_EXITED");
    assert!(message.contains("exited with status 3") && message.contains("cannot find the database"), "{message}");
    let page = world.get(&own_label(id), "/").await;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("exited with status 3"), "{}", page.body);
    assert_eq!(world.processes(), 0);
}

#[tokio::test]
async fn a_server_that_never_listens_fails_with_the_port_it_should_listen_on() {
    let world = World::with(|config| config.start_deadline = Duration::from_secs(1)).await;
    let id = world.apply(node(), &[("server.mjs", "console.log('hello'); setInterval(() => {}, 1000)")]).await;
    let (code, message) = world.failure(id).await;
    assert_eq!(code, "HEALTH_CHECK_FAILED");
    assert!(message.contains("nothing listens on port") && message.contains("$PORT") && message.contains("hello"), "{message}");
    assert_eq!(world.processes(), 0);
}

#[tokio::test]
async fn a_server_that_answers_500_fails_with_that() {
    let world = World::with(|config| config.start_deadline = Duration::from_secs(3)).await;
    let id = world.apply(node(), &[("server.mjs", &answering("response.statusCode = 500"))]).await;
    let (code, message) = world.failure(id).await;
    assert_eq!(code, "HEALTH_CHECK_FAILED");
    assert!(message.contains("GET / answered 500"), "{message}");
}

#[tokio::test]
async fn a_server_may_listen_late() {
    let world = World::new().await;
    let late = "import http from 'node:http';\n\
        setTimeout(() => http.createServer((q, r) => r.end('late')).listen(process.env.PORT, '127.0.0.1'), 2000);";
    let id = world.deploy(node(), &[("server.mjs", late)]).await;
    assert_eq!(world.get(&own_label(id), "/").await.body, "late");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let world = World::new().await;
    let id = world.apply(WorkloadSpec::Server(server(&["no-such-program"])), &[("x", "x")]).await;
    let (code, message) = world.failure(id).await;
    assert_eq!(code, "START_FAILED");
    assert!(message.contains("`no-such-program`"), "{message}");
}

#[tokio::test]
async fn a_server_that_ignores_sigterm_is_killed() {
    let world = World::new().await;
    let stubborn = answering("'stubborn'") + "process.on('SIGTERM', () => {});";
    let id = world.deploy(node(), &[("server.mjs", &stubborn)]).await;
    world.cloud.servers.as_ref().unwrap().delete(&world.scope(), id).await.unwrap();
    assert_eq!(world.processes(), 0);
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let world = World::new().await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let mut spec = server(&["node", "server.mjs"]);
    spec.port = Some(port);
    let id = world.apply(WorkloadSpec::Server(spec), &[("server.mjs", &answering("1"))]).await;
    let (code, message) = world.failure(id).await;
    assert_eq!(code, "PORT_TAKEN");
    assert!(message.contains(&port.to_string()) && message.contains("$PORT"), "{message}");
}

#[tokio::test]
async fn a_server_above_its_memory_is_killed_and_started_again() {
    let world = World::new().await;
    let greedy = "import http from 'node:http'; const kept = [];\n\
        http.createServer((q, r) => { if (q.url === '/eat') kept.push(Buffer.alloc(300 << 20, 1)); r.end('pid ' + process.pid) })\n\
        .listen(process.env.PORT, '127.0.0.1');";
    let mut spec = server(&["node", "server.mjs"]);
    spec.memory_mib = 200;
    let id = world.deploy(WorkloadSpec::Server(spec), &[("server.mjs", greedy)]).await;
    let before = world.get("shop", "/eat").await.body;
    until("the log says why", || async { world.control.log_text(id).contains("MiB, limit 200 MiB").then_some(()) }).await;
    until("another process answers", || async {
        let got = world.get("shop", "/").await;
        (got.status == 200 && got.body != before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_lines_is_dropped_and_counted() {
    let world = World::new().await;
    let flood = answering("'up'")
        + "const chunk = 'a line of some length that says nothing\\n'.repeat(10000); let left = 250;\n\
           const pour = () => { while (left-- > 0) if (!process.stdout.write(chunk)) return process.stdout.once('drain', pour); console.error('done') }; pour();";
    let id = world.deploy(node(), &[("server.mjs", &flood)]).await;
    let log = until("the end comes through", || async {
        assert_eq!(world.get("shop", "/").await.body, "up");
        Some(world.control.log_text(id)).filter(|log| log.contains("lines dropped"))
    })
    .await;
    assert!(log.lines().count() < 100_000, "{}", log.lines().count());
    assert!(log.contains("prints faster"), "{}", &log[log.len() - 300..]);
}
