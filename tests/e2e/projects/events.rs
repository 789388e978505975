//! Subscriptions, with a client that is not ours.

use std::process::Stdio;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::harness::{House, PATIENCE};
use crate::support::node::npm_package;

/// Starts following a deployment.
async fn follow(house: &House, token: &str, deployment: &str, cuts: u32, last_line: &str) -> tokio::process::Child {
    let mut command = Command::new("node");
    let url = house.url("/graphql/ws").replace("http", "ws");
    command
        .arg("follow.mjs")
        .args([&url, token, deployment, &cuts.to_string(), last_line])
        .current_dir(npm_package("graphql-client", &["follow.mjs"]).await);
    command.kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("node is installed")
}

/// Waits until the client has seen something.
async fn follows(child: &mut tokio::process::Child) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = timeout(PATIENCE, lines.next_line()).await.expect("the client sees something").unwrap();
    assert_eq!(said.as_deref(), Some("following"));
}

async fn outcome(child: tokio::process::Child) -> Value {
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("the client ends").unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn a_client_that_is_cut_off_ten_times_sees_every_number_exactly_once() {
    let house = House::start().await;
    let code = "let line = 0; const fs = require('node:fs');\n\
        const timer = setInterval(() => {\n\
          for (let i = 0; i < 5; i++) console.log('line ' + ++line);\n\
          if (line < 1000) return;\n\
          clearInterval(timer); fs.mkdirSync('out'); fs.writeFileSync('out/index.html', 'done');\n\
        }, 15);";
    let id = house.deploy_detached(house.build("chatty", code), &[]).await;
    let seen = outcome(follow(&house, &house.token(), &id, 10, "Built 1 files").await).await;
    assert_eq!(seen["cuts"], 10, "{seen}");
    let numbers =
        |key: &str| -> Vec<i64> { seen[key].as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect() };
    let events = house.deployment(&id, "status events(first: 100) { number status }").await;
    assert_eq!(events["status"], "LIVE");
    let expected: Vec<i64> = events["events"].as_array().unwrap().iter().map(|event| event["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers("events"), expected);
    assert_eq!(expected, (1..=i64::try_from(expected.len()).unwrap()).collect::<Vec<_>>(), "without gaps");
    let lines = numbers("lines");
    assert!(lines.len() >= 1000, "{} lines", lines.len());
    assert_eq!(lines, (1..=i64::try_from(lines.len()).unwrap()).collect::<Vec<_>>(), "each once, in order");
    let stored = house.lines(&id).await;
    for (index, number) in (1..=1000).enumerate() {
        let text = &stored.iter().filter(|(_, text)| text.starts_with("line ")).nth(index).unwrap().1;
        assert_eq!(*text, format!("line {number}"));
    }
}

#[tokio::test]
async fn a_revoked_key_ends_its_open_subscription_within_five_seconds() {
    let house = House::start().await;
    let made = house.mutate("createApiKey", "CreateApiKeyInput", json!({"name": "soon gone"}), "secret apiKey { id }").await;
    let id = house.deploy_detached(house.build("hang", "console.log('hanging'); setInterval(() => {}, 1000)"), &[]).await;
    house.logged(&id, "hanging").await;
    let mut following = follow(&house, made["secret"].as_str().unwrap(), &id, 0, "what never comes").await;
    follows(&mut following).await;
    let revoked = house.mutate("revokeApiKey", "RevokeApiKeyInput", json!({"apiKeyId": made["apiKey"]["id"]}), "done").await;
    assert_eq!(revoked["done"], true, "{revoked}");
    let started = Instant::now();
    let seen = outcome(following).await;
    assert_eq!(seen["code"], "UNAUTHENTICATED", "{seen}");
    assert!(started.elapsed() < Duration::from_secs(5), "after {:?}", started.elapsed());
    house.json(&["cancel", &id]).await;
}

#[tokio::test]
async fn a_key_that_expires_ends_its_open_subscription() {
    let house = House::start().await;
    let (team, user) = house.owner().await;
    let id = house.deploy_detached(house.build("hang", "console.log('hanging'); setInterval(() => {}, 1000)"), &[]).await;
    house.logged(&id, "hanging").await;
    let key = house.key(team, user, Some(domain::time::now() + chrono::Duration::seconds(4))).await;
    let mut following = follow(&house, &key, &id, 0, "what never comes").await;
    follows(&mut following).await;
    let started = Instant::now();
    let seen = outcome(following).await;
    assert_eq!(seen["code"], "UNAUTHENTICATED", "{seen}");
    assert!(started.elapsed() < Duration::from_secs(9), "after {:?}", started.elapsed());
    house.json(&["cancel", &id]).await;
}

#[tokio::test]
async fn a_connection_without_a_valid_credential_is_refused_with_the_reason() {
    let house = House::start().await;
    for token in ["mck_this-is-no-key", "neither-is-this"] {
        let seen = outcome(follow(&house, token, "dep_01a2074c87fa7763be99e553550bd8a3", 0, "").await).await;
        let reason = seen["reason"].as_str().unwrap_or_default();
        assert!(seen["close"] == 4403 && !reason.is_empty(), "{token}: {seen}");
    }
    let seen = outcome(follow(&house, &house.token(), "dep_01a2074c87fa7763be99e553550bd8a3", 0, "").await).await;
    assert_eq!(seen["code"], "NOT_FOUND", "{seen}");
    let seen = outcome(follow(&house, &house.token(), "no-id", 0, "").await).await;
    assert_eq!(seen["code"], "BAD_INPUT", "{seen}");
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A connection of which the test itself speaks the protocol.
async fn connect(house: &House) -> Socket {
    let mut request = house.url("/graphql/ws").replace("http", "ws").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

/// The code a connection is closed with.
async fn closed(socket: &mut Socket) -> u16 {
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("an end").expect("a closing handshake").unwrap();
        if let Message::Close(Some(frame)) = message {
            return frame.code.into();
        }
    }
}

#[tokio::test]
async fn quiet_clients_stay_and_those_that_do_not_speak_the_protocol_go() {
    let house = House::start().await;
    let id = house.deploy_detached(house.site("page", "a page"), &[]).await;
    assert_eq!(house.ended(&id).await, "LIVE");
    // Says who it is, subscribes, and then nothing more: what it waits for may take an hour.
    let mut quiet = connect(&house).await;
    let authorization = format!("Bearer {}", house.token());
    let query = "subscription($id: ID!) { projectEvents(projectId: $id, after: 1000) { number } }";
    let project = house.json(&["projects", "show", "page"]).await["id"].clone();
    for message in [
        json!({"type": "connection_init", "payload": {"Authorization": authorization}}),
        json!({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": {"id": project}}}),
    ] {
        quiet.send(Message::text(message.to_string())).await.unwrap();
    }
    let stays = async {
        let ended = timeout(Duration::from_secs(35), async {
            while let Some(Ok(message)) = quiet.next().await {
                if matches!(message, Message::Close(_)) {
                    return format!("{message:?}");
                }
            }
            "the connection is gone".to_owned()
        });
        assert_eq!(ended.await.ok(), None);
    };
    let goes = async {
        let mut mute = connect(&house).await;
        let mut rude = connect(&house).await;
        rude.send(Message::text("hello?")).await.unwrap();
        assert_eq!(closed(&mut rude).await, 4400);
        assert_eq!(closed(&mut mute).await, 4408, "no connection_init came");
    };
    tokio::join!(stays, goes);
}

/// The first answer to an operation over an open connection.
async fn ask(socket: &mut Socket, id: &str, query: &str) -> Value {
    let subscribe = json!({"id": id, "type": "subscribe", "payload": {"query": query}});
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("an answer").expect("an answer before the end").unwrap();
        let Message::Text(text) = message else { continue };
        let message: Value = serde_json::from_str(&text).unwrap();
        match message["type"].as_str() {
            Some("next") if message["id"] == id => return message["payload"].clone(),
            Some("error") if message["id"] == id => return json!({"errors": message["payload"]}),
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_open_connection_does_no_more_than_its_user_may_by_now() {
    let house = House::start().await;
    for (change, arguments) in
        [("viewer", &["members", "set-role", "ann", "viewer"][..]), ("gone", &["members", "remove", "bob"])]
    {
        let dev = house.colleague(arguments[2], "developer").await;
        let mut socket = connect(&house).await;
        let init = json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {}", dev.token)}});
        socket.send(Message::text(init.to_string())).await.unwrap();
        let create = |name: &str| {
            format!("mutation {{ createProject(input: {{name: \"{name}-{change}\"}}) {{ userErrors {{ code }} }} }}")
        };
        let made = ask(&mut socket, "1", &create("before")).await;
        assert_eq!(made["data"]["createProject"]["userErrors"], json!([]), "{made}");
        house.json(arguments).await;
        let refused = ask(&mut socket, "2", &create("after")).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
        let read = ask(&mut socket, "3", "{ projects { totalCount } }").await;
        assert_eq!(read["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{read}");
        assert_ne!(house.cli(&["projects", "show", &format!("after-{change}")]).await.exit, 0);
    }
}
