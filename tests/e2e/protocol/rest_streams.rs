//! Events and logs as server-sent events.

use std::time::Duration;

use futures::StreamExt;
use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::support::harness::{House, PATIENCE};

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    event: String,
    id: Option<i64>,
    data: Value,
}

/// A client of a stream.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(house: &House, token: &str, path: &str, last: Option<i64>) -> Self {
        let mut request =
            house.http.get(house.url(&format!("/api/v1{path}"))).bearer_auth(token).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                let message = parse(&std::mem::replace(&mut self.text, rest));
                if message.is_some() {
                    return message;
                }
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("something within time").unwrap();
            self.text.push_str(std::str::from_utf8(&chunk?).expect("whole characters: all of it is ASCII"));
        }
    }

    /// Everything to the end.
    async fn rest(mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.next().await {
            messages.push(message);
        }
        messages
    }
}

fn parse(block: &str) -> Option<Message> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = serde_json::from_str(field("data")?).unwrap();
    let event = field("event").unwrap_or("message").to_owned();
    Some(Message { event, id: field("id").map(|id| id.parse().unwrap()), data })
}

fn numbers(messages: &[Message]) -> Vec<i64> {
    messages.iter().filter_map(|message| message.id).collect()
}

#[tokio::test]
async fn a_client_that_is_cut_off_comes_back_misses_nothing_and_is_told_the_end() {
    let house = House::start().await;
    let code = "let line = 0;\n\
        const timer = setInterval(() => {\n\
          for (let i = 0; i < 5; i++) console.log('line ' + ++line);\n\
          if (line >= 500) { clearInterval(timer); process.exitCode = 1; }\n\
        }, 10);";
    let id = house.deploy_detached(house.build("chatty", code), &[]).await;
    let (token, path) = (house.token(), format!("/deployments/{id}/logs"));
    let events = Stream::open(&house, &token, &format!("/deployments/{id}/events"), None).await;
    let (mut seen, mut last) = (Vec::new(), None);
    for _ in 0..10 {
        let mut stream = Stream::open(&house, &token, &path, last).await;
        for _ in 0..20 {
            let message = stream.next().await.expect("more lines");
            assert_eq!(message.data["number"].as_i64(), message.id);
            last = message.id;
            seen.push(message);
        }
    }
    let rest = Stream::open(&house, &token, &path, last).await.rest().await;
    assert_eq!(rest.last().map(|message| &*message.event), Some("end"), "{:?}", rest.last());
    seen.extend(rest);
    let stored = house.lines(&id).await;
    assert_eq!(
        numbers(&seen),
        (1..=i64::try_from(stored.len()).unwrap()).collect::<Vec<_>>(),
        "each once, in order, to the last"
    );
    assert!(stored.len() >= 500);
    let events = events.rest().await;
    let (end, failed) = (&events[events.len() - 1], &events[events.len() - 2]);
    assert_eq!((&*end.event, &failed.data["status"]), ("end", &json!("FAILED")), "{events:?}");
    assert_eq!(numbers(&events), (1..i64::try_from(events.len()).unwrap()).collect::<Vec<_>>());

    // What has ended is read from the beginning, and whoever has seen it all is told not to come again.
    let again = Stream::open(&house, &token, &path, Some(i64::try_from(stored.len()).unwrap() - 2)).await.rest().await;
    assert_eq!((numbers(&again).len(), &*again[2].event), (2, "end"));
    for (path, last) in [(path, stored.len()), (format!("/deployments/{id}/events"), events.len() - 1)] {
        let request =
            house.http.get(house.url(&format!("/api/v1{path}"))).bearer_auth(&token).header("accept", "text/event-stream");
        let response = request.header("last-event-id", last.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 204, "{path}");
    }
}

#[tokio::test]
async fn a_revoked_key_ends_its_open_streams_within_five_seconds() {
    let house = House::start().await;
    let made = house.mutate("createApiKey", "CreateApiKeyInput", json!({"name": "soon gone"}), "secret apiKey { id }").await;
    let token = made["secret"].as_str().unwrap();
    let id = house.deploy_detached(house.build("hang", "console.log('hanging'); setInterval(() => {}, 1000)"), &[]).await;
    house.logged(&id, "hanging").await;
    let project = house.rest_get(&format!("/deployments/{id}")).await["projectId"].as_str().unwrap().to_owned();
    let mut streams = Vec::new();
    for path in [format!("/deployments/{id}/logs"), format!("/deployments/{id}/events"), format!("/projects/{project}/events")] {
        let mut stream = Stream::open(&house, token, &path, None).await;
        assert_eq!(stream.next().await.unwrap().id, Some(1), "{path}");
        streams.push(stream);
    }
    house.mutate("revokeApiKey", "RevokeApiKeyInput", json!({"apiKeyId": made["apiKey"]["id"]}), "done").await;
    let started = Instant::now();
    let ends = futures::stream::iter(streams).then(Stream::rest).collect::<Vec<_>>().await;
    assert!(started.elapsed() < Duration::from_secs(5), "after {:?}", started.elapsed());
    for messages in ends {
        let last = messages.last().unwrap();
        assert_eq!((&*last.event, &last.data["code"]), ("error", &json!("UNAUTHENTICATED")), "{messages:?}");
    }
    house.json(&["cancel", &id]).await;
}

#[tokio::test]
async fn a_quiet_stream_says_that_it_is_still_there_longer_than_answers_may_take() {
    let house = House::start().await;
    let id = house.deploy_detached(house.build("hang", "console.log('hanging'); setInterval(() => {}, 1000)"), &[]).await;
    house.logged(&id, "hanging").await;
    let mut stream = Stream::open(&house, &house.token(), &format!("/deployments/{id}/events"), None).await;
    let started = Instant::now();
    let heartbeats = async {
        // Other answers have 30 seconds.
        while started.elapsed() < Duration::from_secs(31) {
            let chunk = stream.response.chunk().await.unwrap().expect("it goes on");
            stream.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        house.json(&["cancel", &id]).await;
        while let Some(chunk) = stream.response.chunk().await.unwrap() {
            stream.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    timeout(PATIENCE, heartbeats).await.expect("it ends with the deployment");
    assert!(stream.text.matches("\n:\n").count() + stream.text.matches("\n: \n").count() >= 2, "{}", stream.text);
    assert!(stream.text.ends_with("event: end\ndata: {}\n\n"), "{}", stream.text);
}
