//! Limits of requests, and the answers beyond them.

use std::time::Duration;

use futures::future::join_all;
use futures::{SinkExt, StreamExt};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use testkit::wait_until;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::harness::{House, PATIENCE};

const ME: &str = "{ me { role } }";

impl House {
    /// Status, headers and body of a GraphQL request of the owner.
    async fn ask(&self, query: &str) -> (u16, HeaderMap, Value) {
        let request = self.http.post(self.url("/graphql")).bearer_auth(self.token()).json(&json!({"query": query}));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.headers().clone(), response.json().await.unwrap())
    }

    /// The first answer to an operation over a WebSocket.
    async fn ask_over_websocket(&self, query: &str) -> Value {
        let mut request = self.url("/graphql/ws").replacen("http", "ws", 1).into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let init = json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {}", self.token())}});
        socket.send(Message::text(init.to_string())).await.unwrap();
        let operation = json!({"id": "1", "type": "subscribe", "payload": {"query": query}});
        while let Some(Ok(message)) = socket.next().await {
            let Ok(message) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else { continue };
            match message["type"].as_str() {
                Some("connection_ack") => socket.send(Message::text(operation.to_string())).await.unwrap(),
                Some("next" | "error") => return message["payload"].clone(),
                _ => {}
            }
        }
        panic!("the socket was closed without an answer");
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).unwrap_or_else(|| panic!("no {name} in {headers:?}")).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_makes_a_thousand_requests_an_hour_and_then_is_told_to_wait() {
    let house = House::start_with(&[("MIKROCLOUD_RATE_LIMIT", "1000")]).await;
    house.deploy(house.site("page", "a page"), &[]).await;
    let (status, headers, _) = house.ask(ME).await;
    assert_eq!(
        (status, &*header(&headers, "ratelimit-policy")),
        (200, "\"user\";q=1000;w=3600"),
        "the command line is not counted"
    );
    assert_eq!((header(&headers, "ratelimit-limit"), header(&headers, "ratelimit-remaining")), ("1000".into(), "999".into()));
    for _ in 0..37 {
        for (status, _, answer) in join_all((0..27).map(|_| house.ask(ME))).await {
            assert_eq!((status, &answer["data"]["me"]["role"]), (200, &json!("OWNER")));
        }
    }
    let (status, headers, answer) = house.ask(ME).await;
    assert_eq!(status, 429);
    let error = &answer["errors"][0]["extensions"];
    assert_eq!((&error["code"], header(&headers, "ratelimit-remaining")), (&json!("RATE_LIMITED"), "0".into()), "{answer}");
    let wait: u64 = header(&headers, "retry-after").parse().unwrap();
    assert!((3000..=3600).contains(&wait) && error["retryAfter"] == wait, "{wait}: {answer}");
    assert_eq!(header(&headers, "ratelimit"), format!("\"user\";r=0;t={}", header(&headers, "ratelimit-reset")));
    let upload = house.http.post(house.url("/api/v1/uploads")).bearer_auth(house.token()).body("x").send().await.unwrap();
    assert_eq!((upload.status().as_u16(), upload.json::<Value>().await.unwrap()["code"].take()), (429, json!("RATE_LIMITED")));
    // Neither by a socket is there a way around, nor do health checks, visitors and the command line of this machine suffer.
    let handshake = house.ask_over_websocket(ME).await;
    let code = if handshake.is_array() { &handshake[0] } else { &handshake["errors"][0] };
    assert_eq!(code["extensions"]["code"], "RATE_LIMITED", "{handshake}");
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(house.http.get(house.url(path)).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(house.body("page").await, "a page");
    assert!(house.json(&["projects"]).await.to_string().contains("\"page\""));
}

#[tokio::test]
async fn roles_and_keys_can_have_limits_of_their_own() {
    let mut house = House::start().await;
    let input = json!({"name": "busy"});
    let made = house.mutate("createApiKey", "CreateApiKeyInput", input, "secret apiKey { id }").await;
    let (secret, id) = (made["secret"].as_str().unwrap().to_owned(), made["apiKey"]["id"].as_str().unwrap());
    let exceptions = format!("owner=2,{id}=3");
    house.terminate().await;
    house.set_env(&[("MIKROCLOUD_RATE_LIMIT_FOR", &exceptions)]);
    house.run().await;
    let key =
        async || house.http.post(house.url("/graphql")).bearer_auth(&secret).json(&json!({"query": ME})).send().await.unwrap();
    for expected in [200, 200, 200, 429] {
        assert_eq!(key().await.status(), expected);
    }
    for expected in [200, 200, 429] {
        assert_eq!(house.ask(ME).await.0, expected);
    }
    let wrong = house.up().env("MIKROCLOUD_RATE_LIMIT_FOR", "boss=1").output().await.unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("neither a role"), "{wrong:?}");
}

#[tokio::test]
async fn strangers_are_limited_by_their_address_and_sign_in_more_so() {
    let house = House::start_with(&[("MIKROCLOUD_ANONYMOUS_RATE_LIMIT", "6"), ("MIKROCLOUD_SIGN_IN_RATE_LIMIT", "3")]).await;
    let sign_in = async |address: &str| {
        let request = house.http.post(house.url("/auth/sign-in")).header("x-forwarded-for", address);
        let body = json!({"email": "owner@localhost", "password": "a wrong password"});
        let response = request.json(&body).send().await.unwrap();
        (response.status().as_u16(), response.headers().contains_key("retry-after"), response.json::<Value>().await.unwrap())
    };
    for expected in [401, 401, 401, 429] {
        let (status, waits, body) = sign_in("192.0.2.1").await;
        assert_eq!((status, waits), (expected, expected == 429), "{body}");
    }
    assert_eq!(sign_in("192.0.2.1").await.2["code"], "RATE_LIMITED");
    assert_eq!(sign_in("192.0.2.2").await.0, 401);
    let invented = async || {
        let request = house.http.post(house.url("/graphql")).bearer_auth("mck_invented").json(&json!({"query": ME}));
        request.send().await.unwrap().status().as_u16()
    };
    for expected in [401, 401, 401, 401, 401, 401, 429] {
        assert_eq!(invented().await, expected);
    }
    assert_eq!(house.ask(ME).await.0, 200, "who is signed in is no stranger");
}

#[tokio::test]
async fn every_answer_says_what_the_query_costs() {
    let house = House::start().await;
    let (_, _, answer) = house.ask("{ projects(first: 50) { nodes { id slug } } }").await;
    let cost = &answer["extensions"]["cost"];
    assert_eq!(cost["limit"], 20_000, "{answer}");
    assert!((100..=200).contains(&cost["complexity"].as_u64().unwrap()), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_server_can_do_is_refused_quickly_and_nothing_is_left_of_it() {
    let house = House::start_with(&[("MIKROCLOUD_MAX_REQUESTS", "1"), ("MIKROCLOUD_MAX_WAITING", "2")]).await;
    // Each attempt costs the server some ten milliseconds of hashing.
    let attempt = async |number: usize| {
        let body = json!({"email": format!("{number}@localhost"), "password": "a wrong password"});
        let started = Instant::now();
        let response = house.http.post(house.url("/auth/sign-in")).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.headers().clone(), started.elapsed(), response.json::<Value>().await.unwrap())
    };
    let health = async {
        let started = Instant::now();
        let answer = house.http.get(house.url("/healthz")).send().await.unwrap();
        (answer.status().as_u16(), started.elapsed())
    };
    let (attempts, (healthy, took)) = tokio::join!(join_all((0..60).map(attempt)), health);
    assert_eq!(healthy, 200);
    assert!(took < Duration::from_secs(5), "/healthz took {took:?}");
    let refused: Vec<_> = attempts.iter().filter(|(status, ..)| *status == 503).collect();
    assert!(refused.len() > 10 && refused.len() < 60, "{} of 60 refused", refused.len());
    for (_, headers, _, body) in &refused {
        assert_eq!((&*header(headers, "retry-after"), &body["code"]), ("1", &json!("UNAVAILABLE")), "{body}");
    }
    assert!(attempts.iter().all(|(status, ..)| matches!(status, 401 | 503)));
    wait_until(PATIENCE, "an answer after the storm", async || house.ask(ME).await.0 == 200).await;
    let metrics = house.http.get(house.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("mikrocloud_http_requests_in_flight{kind=\"request\"} 0"), "{metrics}");
    assert!(metrics.contains(&format!("mikrocloud_http_requests_shed_total{{kind=\"request\"}} {}", refused.len())), "{metrics}");
}
