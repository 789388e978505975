//! Tells subscribers that rows changed. Nothing but the hint travels: who hears it reads the rows, so a lost or doubled hint does no harm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::{DeploymentId, JobId, ProjectId};
use tokio::sync::watch;

use crate::redis::{HintSender, Redis};

/// Subject of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A deployment has a new event.
    DeploymentEvents(DeploymentId),
    /// A deployment has new log lines.
    DeploymentLogs(DeploymentId),
    /// A deployment of the project has a new event.
    ProjectEvents(ProjectId),
    /// Change of the edges' work.
    Edges,
    /// A job was cancelled: whoever runs it should look at its lease.
    Job(JobId),
}

/// Hands hints to those who wait for them, in this process and, over Redis, in all others. Cheap to clone.
#[derive(Clone, Default)]
pub struct EventBus {
    /// Counts the hints on each topic.
    topics: Arc<Mutex<HashMap<Topic, watch::Sender<u64>>>>,
    others: Option<HintSender>,
}

/// Waits for hints on one topic. A hint given between two waits is not missed.
pub struct Subscription {
    hints: watch::Receiver<u64>,
}

impl EventBus {
    /// A bus that also tells the other processes; [`crate::redis::relay`] brings what they say. Must be called within a runtime.
    pub fn over_redis(redis: &Redis) -> Self {
        Self { topics: Arc::default(), others: Some(HintSender::start(redis.clone())) }
    }

    /// Says everywhere that there is something new.
    pub fn publish(&self, topic: Topic) {
        self.hint(topic);
        if let Some(others) = &self.others {
            others.send(topic);
        }
    }

    /// Says in this process that there is something new.
    pub(crate) fn hint(&self, topic: Topic) {
        let mut topics = self.lock();
        if let Some(sender) = topics.get(&topic) {
            sender.send_modify(|count| *count += 1);
            if sender.receiver_count() == 0 {
                topics.remove(&topic);
            }
        }
    }

    /// Tells every subscriber of this process to look.
    pub(crate) fn hint_all(&self) {
        self.lock().values().for_each(|sender| sender.send_modify(|count| *count += 1));
    }

    /// Waits for what is said from now on. Subscribe first, read the rows then: nothing is missed.
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        let mut topics = self.lock();
        // A topic is dropped once nobody listens, so that the map does not grow with every deployment that ever was.
        if topics.len().is_power_of_two() && topics.len() >= 1024 {
            topics.retain(|_, sender| sender.receiver_count() > 0);
        }
        let sender = topics.entry(topic).or_insert_with(|| watch::channel(0).0);
        Subscription { hints: sender.subscribe() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, watch::Sender<u64>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// Waits for the next hint.
    pub async fn changed(&mut self) {
        if self.hints.changed().await.is_err() {
            // The topic was dropped between two waits, which only happens to one without listeners. Look again at once.
            tokio::task::yield_now().await;
        }
    }

    /// Counts the hints so far, and takes them as heard: who reads the rows after this call has what they were about.
    pub fn version(&mut self) -> u64 {
        *self.hints.borrow_and_update()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hint_between_two_waits_is_not_missed() {
        let bus = EventBus::default();
        let topic = Topic::Job(JobId::new());
        let mut subscription = bus.subscribe(topic);
        bus.publish(topic);
        bus.publish(topic);
        subscription.changed().await;
        let other = bus.subscribe(Topic::Job(JobId::new()));
        drop(other);
        bus.publish(topic);
        subscription.changed().await;
        assert_eq!(subscription.version(), 3);
        bus.hint_all();
        subscription.changed().await;
        assert_eq!(subscription.version(), 4);
    }

    #[test]
    fn topics_without_listeners_are_forgotten() {
        let bus = EventBus::default();
        for _ in 0..5000 {
            drop(bus.subscribe(Topic::Job(JobId::new())));
        }
        assert!(bus.lock().len() <= 1025);
    }
}
