//! Follows a deployment over `graphql-transport-ws`, through as many connections as it takes: each resumes where the last one ended.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

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
    while let Some(received) = socket.next().await {
        let text = match received? {
            Message::Text(text) => text,
            // The credential is refused: no other connection would fare better.
            Message::Close(Some(frame)) if u16::from(frame.code) == FORBIDDEN => {
                return Err(Ended::Refused(Failure::not_signed_in(frame.reason.to_string())));
            }
            Message::Close(_) => return Ok(false),
            _ => continue,
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
                if take(&received["payload"]["data"], position).is_some_and(&mut *each) {
                    let _ = socket.close(None).await;
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
    Ok(false)
}

fn subscriptions(deployment: &str, position: Position) -> [Value; 2] {
    let events =
        "subscription($id: ID!, $after: Int!) { deploymentEvents(deploymentId: $id, after: $after) { number status message } }";
    let lines =
        "subscription($id: ID!, $after: Int!) { deploymentLogs(deploymentId: $id, after: $after) { number stream text } }";
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
    fn a_refusal_for_want_of_a_credential_is_told_apart() {
        let errors = json!([{"message": "sign in", "extensions": {"code": "UNAUTHENTICATED"}}]);
        assert_eq!(refusal(&errors).unwrap().exit, 4);
        assert_eq!(refusal(&json!([{"message": "x"}])).unwrap().exit, 1);
        assert!(refusal(&json!(null)).is_none());
    }
}
