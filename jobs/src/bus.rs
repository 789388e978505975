//! Tells subscribers that rows changed. Nothing but the hint travels: who hears it reads the rows, so a lost or doubled hint does no harm.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::{DeploymentId, JobId, ProjectId};
use tokio::sync::watch;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A deployment has a new event.
    DeploymentEvents(DeploymentId),
    /// A deployment has new log lines.
    DeploymentLogs(DeploymentId),
    /// A deployment of the project has a new event.
    ProjectEvents(ProjectId),
    /// A job was called off: whoever runs it should look at its lease.
    Job(JobId),
}

/// Hands hints to those who wait for them, within this process. Cheap to clone.
#[derive(Clone, Default)]
pub struct EventBus {
    topics: Arc<Mutex<HashMap<Topic, watch::Sender<()>>>>,
}

/// Waits for hints on one topic. A hint given between two waits is not missed.
pub struct Subscription {
    hints: watch::Receiver<()>,
}

impl EventBus {
    /// Says that there is something new.
    pub fn publish(&self, topic: Topic) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let nobody = topics.get(&topic).is_some_and(|sender| sender.send(()).is_err());
        if nobody {
            topics.remove(&topic);
        }
    }

    /// Waits for what is said from now on. Subscribe first, read the rows then: nothing is missed.
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        // A topic is dropped once nobody listens, so that the map does not grow with every deployment that ever was.
        if topics.len() > 1024 {
            topics.retain(|_, sender| sender.receiver_count() > 0);
        }
        let sender = topics.entry(topic).or_insert_with(|| watch::channel(()).0);
        Subscription { hints: sender.subscribe() }
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
    }

    #[test]
    fn topics_without_listeners_are_forgotten() {
        let bus = EventBus::default();
        for _ in 0..5000 {
            drop(bus.subscribe(Topic::Job(JobId::new())));
        }
        assert!(bus.topics.lock().unwrap().len() <= 1025);
    }
}
