//! Tests of the traffic between clients and servers.

use std::time::Duration;

use bytes::Bytes;
use domain::workload::WorkloadSpec;
use futures::{SinkExt as _, StreamExt as _};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::{PATIENCE, World, node, server};

/// An echo over `WebSocket` in plain Node: answers short text frames.
const WEBSOCKET: &str = r"
import http from 'node:http';
import crypto from 'node:crypto';
const server = http.createServer((q, r) => r.end('plain'));
server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = crypto.createHash('sha1').update(key).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ' + accept + '\r\n\r\n');
  socket.on('data', (frame) => {
    if ((frame[0] & 15) === 8) return socket.end();
    const length = frame[1] & 127, mask = frame.subarray(2, 6), text = Buffer.from(frame.subarray(6, 6 + length));
    for (let at = 0; at < length; at++) text[at] ^= mask[at % 4];
    socket.write(Buffer.concat([Buffer.from([129, length + 5]), Buffer.from('echo '), text]));
  });
});
server.listen(process.env.PORT, '127.0.0.1');
";

#[tokio::test]
async fn websockets_pass_both_ways() {
    let world = World::new().await;
    world.deploy(node(), &[("server.mjs", WEBSOCKET)]).await;
    let port = world.listen().await;
    let mut request = format!("ws://127.0.0.1:{port}/socket").into_client_request().unwrap();
    request.headers_mut().insert("host", "shop.localhost".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut socket, response) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(response.status(), 101);
    for text in ["one", "two"] {
        socket.send(Message::text(text)).await.unwrap();
        let answer = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(answer.into_text().unwrap().as_str(), format!("echo {text}"));
    }
    assert_eq!(world.get("shop", "/").await.body, "plain");
}

#[tokio::test]
async fn events_flow_at_once_and_a_client_that_leaves_is_noticed() {
    let world = World::new().await;
    let events = "import http from 'node:http'; let open = 0;\n\
        http.createServer((q, r) => { if (q.url !== '/events') return r.end(String(open));\n\
        open++; r.writeHead(200, {'content-type': 'text/event-stream'}); r.write('data: first\\n\\n'); r.on('close', () => open--) })\n\
        .listen(process.env.PORT, '127.0.0.1');";
    world.deploy(node(), &[("server.mjs", events)]).await;
    let request = Request::get("/events").body(Full::<Bytes>::default()).unwrap();
    let mut response = world.edge.handle("shop", request).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    // The answer never ends: this frame comes before any end.
    let frame = timeout(Duration::from_secs(5), response.body_mut().frame()).await.unwrap().unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "data: first\n\n");
    assert_eq!(world.get("shop", "/").await.body, "1");
    drop(response);
    crate::support::until("the server sees it", || async { (world.get("shop", "/").await.body == "0").then_some(()) }).await;
}

#[tokio::test]
async fn bodies_and_headers_pass_and_the_connection_stays_ours() {
    let world = World::new().await;
    let mirror = "import http from 'node:http';\n\
        http.createServer((q, r) => { r.setHeader('x-seen', JSON.stringify(q.headers)); r.setHeader('keep-alive', 'timeout=1');\n\
        r.statusCode = q.url === '/teapot' ? 418 : 200; q.pipe(r) }).listen(process.env.PORT, '127.0.0.1');";
    world.deploy(node(), &[("server.mjs", mirror)]).await;
    let body = "x".repeat(3 << 20);
    let request =
        Request::post("/teapot").header("host", "shop.localhost").header("connection", "x-private").header("x-private", "1");
    let got =
        world.send_body("shop", request.extension(clouds_local::edge::ClientAddress([10, 1, 2, 3].into())), body.clone()).await;
    assert_eq!(got.status, 418);
    assert!(got.body == body && !got.headers.contains_key("keep-alive"));
    let seen: serde_json::Value = serde_json::from_slice(got.headers["x-seen"].as_bytes()).unwrap();
    assert_eq!((&seen["host"], &seen["x-forwarded-for"]), (&"shop.localhost".into(), &"10.1.2.3".into()));
    assert_eq!((&seen["x-forwarded-proto"], &seen["x-private"]), (&"http".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn a_server_over_old_http_is_passed_on_to() {
    let world = World::new().await;
    let spec = WorkloadSpec::Server(server(&["python3", "-m", "http.server", "--bind", "127.0.0.1", "${PORT}"]));
    world.deploy(spec, &[("hello.txt", "hello")]).await;
    for _ in 0..5 {
        assert_eq!(world.get("shop", "/hello.txt").await.body, "hello");
    }
}

#[tokio::test]
async fn connections_that_a_server_closes_cost_no_request() {
    let world = World::new().await;
    let closing = "import http from 'node:http';\n\
        const server = http.createServer((q, r) => { r.end('ok'); setTimeout(() => q.socket.destroy(), Math.random() * 4) });\n\
        server.listen(process.env.PORT, '127.0.0.1');";
    world.deploy(node(), &[("server.mjs", closing)]).await;
    let world = &world;
    let requests = (0..400).map(|_| async move { world.get("shop", "/").await });
    let answers: Vec<_> = futures::stream::iter(requests).buffer_unordered(4).collect().await;
    for got in answers {
        assert_eq!((got.status, got.body.as_str()), (200, "ok"));
    }
}
