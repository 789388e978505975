//! A WebSocket as `graphql-transport-ws` wants it: quiet clients stay, dead ones go, and refusals have the protocol's own codes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::PollSender;

/// Interval at which a client is pinged, and the silence after which it counts as dead. Every client library answers pings by
/// itself.
const PING_EVERY: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_mins(1);

/// Maximum number of messages that wait for a slow client.
const WAITING: usize = 64;

/// Timeout of sending one message to a client that reads slowly.
const SEND: Duration = Duration::from_mins(1);

/// Close codes of the protocol: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
const BAD_REQUEST: u16 = 4400;
const FORBIDDEN: u16 = 4403;
const INIT_TIMEOUT: u16 = 4408;
/// Close code that the GraphQL library uses in both cases.
const PROTOCOL_ERROR: u16 = 1002;

/// Time within which a client has to authenticate.
const INIT: Duration = Duration::from_secs(10);

/// A close reason fits into a control frame (RFC 6455), bytes.
const MAX_REASON: usize = 123;

/// Progress of a client's `connection_init`. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Handshake(Arc<(AtomicBool, AtomicBool)>);

impl Handshake {
    /// The credential was taken or refused.
    pub fn answered(&self, taken: bool) {
        let (answered, refused) = &*self.0;
        refused.store(!taken, Ordering::Release);
        answered.store(true, Ordering::Release);
    }

    fn is_answered(&self) -> bool {
        self.0.0.load(Ordering::Acquire)
    }

    fn is_refused(&self) -> bool {
        self.0.1.load(Ordering::Acquire)
    }

    /// The message with the close code that the protocol has for it.
    fn coded(&self, message: Message) -> Message {
        let Message::Close(Some(CloseFrame { code, reason })) = message else { return message };
        let code = match (code, self.is_refused()) {
            (PROTOCOL_ERROR, true) => FORBIDDEN,
            (PROTOCOL_ERROR, false) => BAD_REQUEST,
            (code, _) => code,
        };
        let end = reason.floor_char_boundary(MAX_REASON);
        Message::Close(Some(CloseFrame { code, reason: reason[..end].into() }))
    }
}

/// Sink of messages to a client.
pub(super) type Outgoing = PollSender<Message>;

/// Serves a socket with what `serve` makes of its two ends, until either is done with it.
pub(super) async fn converse<F: Future<Output = ()>>(
    socket: WebSocket,
    handshake: Handshake,
    serve: impl FnOnce(Outgoing, futures::stream::BoxStream<'static, Result<Message, axum::Error>>) -> F,
) {
    let (to_client, from_client) = socket.split();
    let (sender, receiver) = mpsc::channel(WAITING);
    let heard = Arc::new(std::sync::Mutex::new(Instant::now()));
    let serving = serve(PollSender::new(sender), listen(from_client, Arc::clone(&heard)).boxed());
    let mut writing = std::pin::pin!(write(to_client, receiver, handshake, heard));
    tokio::select! {
        // What it said last is still on its way.
        () = serving => writing.await,
        () = &mut writing => {}
    }
}

fn listen(
    from_client: SplitStream<WebSocket>,
    heard: Arc<std::sync::Mutex<Instant>>,
) -> impl Stream<Item = Result<Message, axum::Error>> {
    from_client.inspect(move |_| *heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now())
}

/// Sends what comes, and pings in between, until the client is gone or nothing more can come.
async fn write(
    mut to_client: SplitSink<WebSocket, Message>,
    mut messages: mpsc::Receiver<Message>,
    handshake: Handshake,
    heard: Arc<std::sync::Mutex<Instant>>,
) {
    let (mut init, mut due) = (std::pin::pin!(sleep(INIT)), true);
    let mut ticks = interval(PING_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = messages.recv() => match message {
                Some(message) => handshake.coded(message),
                None => break,
            },
            _ = ticks.tick() => {
                let last = *heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if last.elapsed() > SILENCE {
                    return;
                }
                Message::Ping(Bytes::new())
            }
            () = &mut init, if due => {
                due = false;
                if handshake.is_answered() {
                    continue;
                }
                messages.close();
                let reason = "no connection_init came in time".into();
                Message::Close(Some(CloseFrame { code: INIT_TIMEOUT, reason }))
            }
        };
        if !matches!(timeout(SEND, to_client.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = timeout(SEND, to_client.close()).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(handshake: &Handshake, code: u16, reason: &str) -> (u16, String) {
        let message = handshake.coded(Message::Close(Some(CloseFrame { code, reason: reason.into() })));
        let Message::Close(Some(frame)) = message else { panic!("{message:?}") };
        (frame.code, frame.reason.to_string())
    }

    #[test]
    fn refusals_and_nonsense_have_the_codes_of_the_protocol() {
        let handshake = Handshake::default();
        assert_eq!(close(&handshake, 1002, "expected value"), (4400, "expected value".to_owned()));
        assert_eq!(close(&handshake, 4429, "too many"), (4429, "too many".to_owned()));
        handshake.answered(false);
        assert_eq!(close(&handshake, 1002, "sign in first"), (4403, "sign in first".to_owned()));
    }

    #[test]
    fn a_reason_is_cut_to_what_a_control_frame_holds() {
        let (_, reason) = close(&Handshake::default(), 1002, &"ä".repeat(100));
        assert_eq!(reason, "ä".repeat(61));
    }
}
