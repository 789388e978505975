//! Hints that travel between processes: that a topic has something new, that a queue has a job. Ids and names only; who hears one reads
//! the rows.

use std::collections::HashSet;
use std::str::FromStr;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Redis;
use crate::bus::{EventBus, Topic};
use crate::dispatch::Wakeups;

/// The one channel of all hints.
pub(crate) const HINTS: &str = "mikrocloud:hints";

/// Maximum number of hints that wait for Redis; further ones are dropped, as subscribers poll now and then.
const WAITING: usize = 65_536;
const BATCH: usize = 512;

/// Delay before Redis is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Interval of heartbeats through the channel, and the silence after which the connection counts as dead.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);
const SILENCE: Duration = Duration::from_secs(10);
const SIGN: &str = "alive";

/// The hint that a queue has something.
pub(crate) fn queue_hint(queue: &str) -> String {
    format!("queue:{queue}")
}

fn topic_hint(topic: Topic) -> String {
    match topic {
        Topic::DeploymentEvents(id) => format!("events:{id}"),
        Topic::DeploymentLogs(id) => format!("logs:{id}"),
        Topic::ProjectEvents(id) => format!("project:{id}"),
        Topic::Job(id) => format!("job:{id}"),
        Topic::Edges => "edges".to_owned(),
    }
}

/// Content of a hint.
#[derive(Debug, PartialEq, Eq)]
enum Hint<'a> {
    Topic(Topic),
    Queue(&'a str),
    /// A sign of life, or something that a newer MikroCloud says.
    Nothing,
}

fn parse(text: &str) -> Hint<'_> {
    fn topic<'a, I: FromStr>(id: &str, topic: fn(I) -> Topic) -> Hint<'a> {
        id.parse().map_or(Hint::Nothing, |id| Hint::Topic(topic(id)))
    }
    if text == "edges" {
        return Hint::Topic(Topic::Edges);
    }
    match text.split_once(':') {
        Some(("events", id)) => topic(id, Topic::DeploymentEvents),
        Some(("logs", id)) => topic(id, Topic::DeploymentLogs),
        Some(("project", id)) => topic(id, Topic::ProjectEvents),
        Some(("job", id)) => topic(id, Topic::Job),
        Some(("queue", name)) => Hint::Queue(name),
        _ => Hint::Nothing,
    }
}

/// Publishes hints about topics. Cheap to clone.
#[derive(Clone)]
pub(crate) struct HintSender(mpsc::Sender<Topic>);

impl HintSender {
    /// Starts the task that publishes. Must be called within a runtime.
    pub fn start(redis: Redis) -> Self {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            // A busy log gives many equal hints.
            let mut topics: HashSet<Topic> = HashSet::new();
            while receiver.recv_many(&mut batch, BATCH).await > 0 {
                topics.extend(batch.drain(..));
                while let Err(error) = publish(&redis, &topics).await {
                    tracing::debug!(%error, hints = topics.len(), "hints wait for Redis");
                    sleep(AGAIN).await;
                }
                topics.clear();
            }
        });
        Self(sender)
    }

    /// Publishes a hint, now or as soon as Redis takes it.
    pub fn send(&self, topic: Topic) {
        if self.0.try_send(topic).is_err() {
            tracing::debug!(?topic, "too many hints wait; this one is dropped");
        }
    }
}

async fn publish(redis: &Redis, topics: &HashSet<Topic>) -> redis::RedisResult<()> {
    let mut pipeline = redis::pipe();
    for topic in topics {
        pipeline.publish(HINTS, topic_hint(*topic)).ignore();
    }
    redis.pipeline(&pipeline).await
}

/// Passes on what other processes hint, until told to stop. Whenever the connection is made anew everybody is told to look: nobody knows
/// what was said meanwhile.
pub async fn relay(redis: Redis, bus: EventBus, wakeups: Wakeups, stop: CancellationToken) {
    let mut is_known_broken = false;
    while !stop.is_cancelled() {
        let ended = tokio::select! {
            ended = listen(&redis, &bus, &wakeups, &mut is_known_broken) => ended,
            () = stop.cancelled() => return,
        };
        if !is_known_broken {
            tracing::warn!(reason = %ended, "no hints from Redis for now: everything goes on, slower");
            is_known_broken = true;
        }
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Listens until the connection breaks; returns why.
async fn listen(redis: &Redis, bus: &EventBus, wakeups: &Wakeups, is_known_broken: &mut bool) -> String {
    let mut heard = match redis.subscribe(HINTS).await {
        Ok(subscription) => subscription.into_on_message(),
        Err(error) => return error.to_string(),
    };
    if std::mem::take(is_known_broken) {
        tracing::info!("hints from Redis are back");
    }
    bus.hint_all();
    wakeups.ring(None);
    let signs = async {
        loop {
            sleep(SIGN_OF_LIFE).await;
            let _ = redis.command::<()>(redis::cmd("PUBLISH").arg(HINTS).arg(SIGN)).await;
        }
    };
    let hearing = async {
        loop {
            match timeout(SILENCE, heard.next()).await {
                Ok(Some(message)) => match parse(std::str::from_utf8(message.get_payload_bytes()).unwrap_or_default()) {
                    Hint::Topic(topic) => bus.hint(topic),
                    Hint::Queue(name) => wakeups.ring(Some(name)),
                    Hint::Nothing => {}
                },
                Ok(None) => return "the connection was closed".to_owned(),
                Err(_) => return "the connection is silent".to_owned(),
            }
        }
    };
    tokio::select! {
        never = signs => never,
        reason = hearing => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{DeploymentId, JobId, ProjectId};

    #[test]
    fn hints_survive_the_way() {
        let topics = [
            Topic::DeploymentEvents(DeploymentId::new()),
            Topic::DeploymentLogs(DeploymentId::new()),
            Topic::ProjectEvents(ProjectId::new()),
            Topic::Job(JobId::new()),
            Topic::Edges,
        ];
        for topic in topics {
            assert_eq!(parse(&topic_hint(topic)), Hint::Topic(topic));
        }
        assert_eq!(parse(&queue_hint("build")), Hint::Queue("build"));
        for strange in ["", SIGN, "events:", "events:job_1", "later:thing", "\0"] {
            assert_eq!(parse(strange), Hint::Nothing, "{strange}");
        }
    }
}
