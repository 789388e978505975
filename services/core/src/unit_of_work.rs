//! Transactions with what follows from them.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use domain::alert::Alert;
use domain::job::DueJob;
use domain::time::now;
use jobs::payload::{Payload, job_of};
use jobs::{EventBus, Topic, Wakeups};
use store::{NewJob, Store, StoreError, Tx};

use crate::alerts::AlertReceiver;
use crate::detached::detached;

/// Outlets for the effects of a commit: subscribers, workers, the receiver of alerts.
pub(crate) struct Outlets {
    /// Hints to subscribers that rows changed.
    pub bus: EventBus,
    /// Wake-ups of workers.
    pub wakeups: Wakeups,
    /// The receiver of alerts outside MikroCloud.
    pub alerts: AlertReceiver,
}

/// A transaction with the effects that follow its commit: woken workers, hints to subscribers, published alerts. Dropped, it leaves nothing
/// behind; committed, it publishes by itself, so that no use case can forget to.
pub struct UnitOfWork {
    tx: Tx,
    outlets: Arc<Outlets>,
    jobs: Vec<(Cow<'static, str>, DueJob)>,
    topics: Vec<Topic>,
    alerts: Vec<Alert>,
    guards: Vec<Box<dyn Send>>,
}

impl UnitOfWork {
    /// Begins a transaction.
    pub(crate) async fn begin(store: &Store, outlets: &Arc<Outlets>) -> Result<Self, StoreError> {
        let tx = store.begin().await?;
        Ok(Self {
            tx,
            outlets: Arc::clone(outlets),
            jobs: Vec::new(),
            topics: Vec::new(),
            alerts: Vec::new(),
            guards: Vec::new(),
        })
    }

    /// Writes a job; its queue is woken after the commit.
    pub async fn enqueue<P: Payload>(&mut self, payload: &P) -> Result<(), StoreError> {
        self.insert_job(&job_of(payload)).await.map(drop)
    }

    /// Writes a job with a priority, due time or deduplication key of its own; its queue is woken after the commit. Returns `false` if a
    /// job with the same deduplication key waits already.
    pub async fn insert_job(&mut self, job: &NewJob) -> Result<bool, StoreError> {
        let inserted = self.tx.job_insert(job).await?;
        // A later job is found by the sweeper when it is due.
        if inserted && job.run_at <= now() {
            self.wake(job.queue, job.due());
        }
        Ok(inserted)
    }

    /// Wakes a queue for a job that is written already.
    pub fn wake(&mut self, queue: impl Into<Cow<'static, str>>, job: DueJob) {
        self.jobs.push((queue.into(), job));
    }

    /// Hints subscribers of a topic.
    pub fn publish(&mut self, topic: Topic) {
        self.topics.push(topic);
    }

    /// Publishes an alert whose row is written already.
    pub fn publish_alert(&mut self, alert: Alert) {
        self.alerts.push(alert);
    }

    /// Keeps a guard until the transaction has ended, whoever waits for it.
    pub fn hold(&mut self, guard: impl Send + 'static) {
        self.guards.push(Box::new(guard));
    }

    /// Commits, then publishes events, wakes workers and sends alerts. All of it is done once it has begun: a database that was asked to
    /// commit does, also when this future is dropped meanwhile.
    pub async fn commit(self) -> Result<(), StoreError> {
        detached(self.commit_and_publish()).await
    }

    async fn commit_and_publish(self) -> Result<(), StoreError> {
        let Self { tx, outlets, jobs, topics, alerts, guards } = self;
        tx.commit().await?;
        drop(guards);
        for topic in topics {
            outlets.bus.publish(topic);
        }
        for (queue, job) in jobs {
            outlets.wakeups.push(&queue, job);
        }
        for alert in alerts {
            outlets.alerts.send(alert);
        }
        Ok(())
    }
}

impl Deref for UnitOfWork {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for UnitOfWork {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}
