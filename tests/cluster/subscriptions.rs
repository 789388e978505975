//! Many subscriptions on one api process. `MIKROCLOUD_SUBSCRIPTIONS` says how many (500 when unset).

use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::harness::{Cluster, PATIENCE, Repository, Shape};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subscription_of_a_crowd_sees_every_event() {
    let count: usize = std::env::var("MIKROCLOUD_SUBSCRIPTIONS").map_or(500, |text| text.parse().expect("a number"));
    let Some(mut cluster) = Cluster::start(Shape { apis: 1, workers: 1, edges: 1 }).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "crowd");
    let project = cluster.create_project("crowd", &repository).await;
    let before = memory(&cluster);
    let ready = Arc::new(Barrier::new(count + 1));
    let mut crowd = JoinSet::new();
    for batch in 0..count.div_ceil(100) {
        let mut sockets = Vec::new();
        for _ in 0..100.min(count - batch * 100) {
            sockets.push(subscribe(&cluster, &project).await);
        }
        for socket in sockets {
            let ready = Arc::clone(&ready);
            crowd.spawn(async move {
                ready.wait().await;
                listen(socket).await
            });
        }
    }
    timeout(PATIENCE, ready.wait()).await.expect("all subscribe");
    // The server has answered every `connection_init`; what it keeps for the subscriptions is there once it has begun them all.
    sleep(Duration::from_secs(1)).await;
    let kept = memory(&cluster).saturating_sub(before);
    let commit = repository.commit(&[("index.html", "seen".to_owned())], "seen");
    let triggered = Instant::now();
    cluster.trigger(&project, &commit).await;
    let mut delays = Vec::new();
    while let Some(heard) = timeout(PATIENCE, crowd.join_next()).await.expect("all hear of it") {
        let (statuses, live_at) = heard.unwrap();
        assert_eq!(statuses, ["QUEUED", "BUILDING", "RELEASING", "LIVE"]);
        delays.push(live_at);
    }
    assert_eq!(delays.len(), count);
    let first = *delays.iter().min().unwrap();
    delays.sort();
    let at = |share: usize| (delays[(count - 1) * share / 100] - first).as_millis();
    eprintln!(
        "{count} subscriptions: live after {} ms, p50 {} ms and p99 {} ms after the first heard it, {} KiB each",
        (first - triggered).as_millis(),
        at(50),
        at(99),
        kept / count / 1024
    );
}

async fn subscribe(cluster: &Cluster, project: &str) -> Socket {
    let mut request = cluster.api_url(0, "/graphql/ws").replace("http", "ws").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let init = json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {}", cluster.token())}});
    socket.send(Message::text(init.to_string())).await.unwrap();
    assert_eq!(next(&mut socket).await["type"], "connection_ack");
    let query = "subscription($id: ID!) { projectEvents(projectId: $id, after: 0) { projectNumber status } }";
    let subscribe = json!({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": {"id": project}}});
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    socket
}

/// The statuses up to the last, and when that was heard.
async fn listen(mut socket: Socket) -> (Vec<String>, Instant) {
    let mut statuses = Vec::new();
    loop {
        let message = next(&mut socket).await;
        if message["type"] != "next" {
            continue;
        }
        let status = message["payload"]["data"]["projectEvents"]["status"].as_str().unwrap_or_else(|| panic!("{message}"));
        statuses.push(status.to_owned());
        if matches!(status, "LIVE" | "FAILED") {
            return (statuses, Instant::now());
        }
    }
}

async fn next(socket: &mut Socket) -> Value {
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("a message").expect("an open connection").unwrap() {
            Message::Text(text) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] == "ping" {
                    socket.send(Message::text(json!({"type": "pong"}).to_string())).await.unwrap();
                    continue;
                }
                return message;
            }
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

/// Memory of the api process, bytes.
fn memory(cluster: &Cluster) -> usize {
    let pid = cluster.roles[cluster.of("api")[0]].pid().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}
