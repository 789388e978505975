//! Follows a deployment over `graphql-transport-ws`, through as many connections as it takes: each resumes where the last one ended.

use std::collections::VecDeque;
use std::time::Duration;

use domain::time::Timestamp;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::api::{Api, USER_AGENT};
use server::Failure;

/// Event received while following.
pub enum Seen {
    /// An event: number, status and message.
    Event(Value),
    /// A log line: number, stream and text.
    Line(Value),
}

/// Position of following: the numbers seen last.
#[derive(Debug, Clone, Copy, Default)]
pub struct Position {
    /// Of the last event.
    pub event: i64,
    /// Of the last log line.
    pub line: i64,
}

/// Close code of the protocol for a connection whose `connection_init` is refused.
const FORBIDDEN: u16 = 4403;
const RETRY: Duration = Duration::from_millis(500);
/// Time for which an event waits for lines that were written before it: they come by a feed of their own.
const HOLD: Duration = Duration::from_millis(300);
/// Maximum number of consecutive connection failures before following is given up.
const MAX_FAILURES: u32 = 120;

/// Follows until `each` says that it is enough.
pub async fn follow(
    api: &Api,
    deployment: &str,
    position: &mut Position,
    mut each: impl FnMut(Seen) -> bool,
) -> Result<(), Failure> {
    let mut failures = 0;
    loop {
        let before = (position.event, position.line);
        match connection(api, deployment, position, &mut each).await {
            Ok(true) => return Ok(()),
            Err(Ended::Refused(failure)) => return Err(failure),
            // The server went away, perhaps to come back: what was missed is replayed then.
            Ok(false) | Err(Ended::Broken) => {
                failures = if before == (position.event, position.line) { failures + 1 } else { 0 };
                if failures > MAX_FAILURES {
                    let message =
                        format!("the server at {} does not come back: the deployment may go on without you", api.url(""));
                    return Err(Failure::failed("UNREACHABLE", message));
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

enum Ended {
    Broken,
    Refused(Failure),
}

impl From<Error> for Ended {
    fn from(_: Error) -> Self {
        Self::Broken
    }
}

fn message(value: &Value) -> Message {
    Message::text(value.to_string())
}

/// One connection; `true` when `each` had enough.
async fn connection(
    api: &Api,
    deployment: &str,
    position: &mut Position,
    each: &mut impl FnMut(Seen) -> bool,
) -> Result<bool, Ended> {
    let url = api.url("/graphql/ws").replacen("http", "ws", 1);
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("graphql-transport-ws"));
    request.headers_mut().insert("User-Agent", HeaderValue::from_static(USER_AGENT));
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    socket.send(message(&json!({"type": "connection_init", "payload": {"Authorization": api.authorization()}}))).await?;
    let mut order = InOrder { each, held: VecDeque::new(), due: Instant::now() };
    let ended = receive(&mut socket, deployment, position, &mut order).await;
    // What is held does not come again.
    if matches!(ended, Ok(true)) || order.release(None) {
        let _ = socket.close(None).await;
        return Ok(true);
    }
    ended
}

/// Receives until the connection ends, or `each` had enough, which is `true`.
async fn receive(
    socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>,
    deployment: &str,
    position: &mut Position,
    order: &mut InOrder<'_, impl FnMut(Seen) -> bool>,
) -> Result<bool, Ended> {
    loop {
        let received = tokio::select! {
            received = socket.next() => received,
            () = sleep_until(order.due), if !order.held.is_empty() => {
                if order.release(None) {
                    return Ok(true);
                }
                continue;
            }
        };
        let text = match received.transpose()? {
            Some(Message::Text(text)) => text,
            // The credential is refused: no other connection would fare better.
            Some(Message::Close(Some(frame))) if u16::from(frame.code) == FORBIDDEN => {
                return Err(Ended::Refused(Failure::not_signed_in(frame.reason.to_string())));
            }
            Some(Message::Close(_)) | None => return Ok(false),
            Some(_) => continue,
        };
        let received: Value = serde_json::from_str(&text).unwrap_or_default();
        match received["type"].as_str().unwrap_or_default() {
            "connection_ack" => {
                for subscription in subscriptions(deployment, *position) {
                    socket.send(message(&subscription)).await?;
                }
            }
            "ping" => socket.send(message(&json!({"type": "pong"}))).await?,
            "next" => {
                if let Some(refused) = refusal(&received["payload"]["errors"]) {
                    return Err(Ended::Refused(refused));
                }
                if take(&received["payload"]["data"], position).is_some_and(|seen| order.take(seen)) {
                    return Ok(true);
                }
            }
            "error" => {
                let unknown = || Failure::failed("FAILED", "the server refused the subscription");
                return Err(Ended::Refused(refusal(&received["payload"]).unwrap_or_else(unknown)));
            }
            "complete" => return Ok(false),
            _ => {}
        }
    }
}

/// Hands on what was seen in the order of its time, as far as a short wait brings it about.
struct InOrder<'e, E> {
    each: &'e mut E,
    held: VecDeque<Value>,
    /// Time at which what is held is handed on in any case.
    due: Instant,
}

impl<E: FnMut(Seen) -> bool> InOrder<'_, E> {
    /// Takes something; `true` when `each` had enough.
    fn take(&mut self, seen: Seen) -> bool {
        match seen {
            Seen::Event(event) => {
                if self.held.is_empty() {
                    self.due = Instant::now() + HOLD;
                }
                self.held.push_back(event);
                false
            }
            // A line that comes after the last event was seen all the same.
            Seen::Line(line) => self.release(time(&line)) | (self.each)(Seen::Line(line)),
        }
    }

    /// Hands on the events before this time, or all.
    fn release(&mut self, before: Option<Timestamp>) -> bool {
        while let Some(event) = self.held.pop_front() {
            if before.is_some_and(|before| time(&event).is_some_and(|at| at > before)) {
                self.held.push_front(event);
                return false;
            }
            if (self.each)(Seen::Event(event)) {
                return true;
            }
        }
        false
    }
}

fn time(seen: &Value) -> Option<Timestamp> {
    seen["at"].as_str()?.parse().ok()
}

fn subscriptions(deployment: &str, position: Position) -> [Value; 2] {
    let events = "subscription($id: ID!, $after: Int!) { deploymentEvents(deploymentId: $id, after: $after) { number status message at } }";
    let lines =
        "subscription($id: ID!, $after: Int!) { deploymentLogs(deploymentId: $id, after: $after) { number stream text at } }";
    let subscribe = |id: &str, query: &str, after: i64| json!({"id": id, "type": "subscribe", "payload": {"query": query, "variables": {"id": deployment, "after": after}}});
    [subscribe("events", events, position.event), subscribe("lines", lines, position.line)]
}

fn refusal(errors: &Value) -> Option<Failure> {
    let error = errors.get(0)?;
    let message = error["message"].as_str().unwrap_or("the server gave no reason");
    Some(match error["extensions"]["code"].as_str() {
        Some("UNAUTHENTICATED") => Failure::not_signed_in(message),
        code => Failure::failed(code.unwrap_or("FAILED"), message),
    })
}

/// Extracts the part of a message that was not seen before.
fn take(data: &Value, position: &mut Position) -> Option<Seen> {
    for (field, event) in [("deploymentEvents", true), ("deploymentLogs", false)] {
        let Some(item) = data.get(field).filter(|item| !item.is_null()) else { continue };
        let number = item["number"].as_i64()?;
        let last = if event { &mut position.event } else { &mut position.line };
        if number <= *last {
            return None;
        }
        *last = number;
        return Some(if event { Seen::Event(item.clone()) } else { Seen::Line(item.clone()) });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_not_seen_again() {
        let mut position = Position::default();
        let data = json!({"deploymentLogs": {"number": 3, "text": "x"}});
        assert!(matches!(take(&data, &mut position), Some(Seen::Line(_))));
        assert!(take(&data, &mut position).is_none());
        assert_eq!((position.event, position.line), (0, 3));
        assert!(take(&json!(null), &mut position).is_none());
    }

    #[test]
    fn lines_that_were_written_before_an_event_come_before_it() {
        let mut seen = Vec::new();
        let mut each = |item| {
            let (Seen::Event(value) | Seen::Line(value)) = item;
            seen.push(value["n"].as_str().unwrap().to_owned());
            value["n"] == "live"
        };
        let mut order = InOrder { each: &mut each, held: VecDeque::new(), due: Instant::now() };
        let item = |n: &str, at: &str| json!({"n": n, "at": format!("2026-01-01T00:00:{at}Z")});
        assert!(!order.take(Seen::Event(item("building", "01"))));
        assert!(!order.take(Seen::Line(item("unpacked", "02.5"))));
        assert!(!order.take(Seen::Event(item("releasing", "04"))));
        assert!(!order.take(Seen::Line(item("built", "03.999"))));
        assert!(!order.take(Seen::Event(item("live", "05"))));
        assert!(order.release(None));
        assert_eq!(seen, ["building", "unpacked", "built", "releasing", "live"]);
    }

    #[test]
    fn a_refusal_for_want_of_a_credential_is_told_apart() {
        let errors = json!([{"message": "sign in", "extensions": {"code": "UNAUTHENTICATED"}}]);
        assert_eq!(refusal(&errors).unwrap().exit, 4);
        assert_eq!(refusal(&json!([{"message": "x"}])).unwrap().exit, 1);
        assert!(refusal(&json!(null)).is_none());
    }
}
