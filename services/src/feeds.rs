//! Streams of numbered rows that can be resumed: whoever reconnects with the last number seen misses nothing and sees nothing twice.

use std::future::Future;
use std::time::{Duration, Instant};

use domain::access::{Actor, Permission};
use domain::event::{DeploymentEvent, LogLine};
use domain::id::{DeploymentId, ProjectId};
use futures::stream::{BoxStream, StreamExt, unfold};
use jobs::Topic;
use jobs::bus::Subscription;
use store::StoreError;

use crate::{Result, ServiceError, Services, require};

/// A stream of rows; it ends with an error when the actor's credential no longer stands.
pub type Feed<T> = BoxStream<'static, Result<T>>;

/// How often a quiet feed looks at the credential, and at the rows in case a hint was lost.
const RECHECK: Duration = Duration::from_secs(2);
const BATCH: i64 = 500;

impl Services {
    /// The events of a deployment with numbers above `after`, those to come included.
    pub async fn deployment_events(&self, actor: &Actor, id: DeploymentId, after: i64) -> Result<Feed<DeploymentEvent>> {
        self.deployment(actor, id).await?;
        let (store, team) = (self.store().clone(), actor.team_id);
        let read = move |after| {
            let store = store.clone();
            async move { store.event_list(team, id, after, BATCH).await }
        };
        Ok(self.feed(actor, Topic::DeploymentEvents(id), after, read, |event| event.number))
    }

    /// The log lines of a deployment with numbers above `after`, those to come included.
    pub async fn deployment_logs(&self, actor: &Actor, id: DeploymentId, after: i64) -> Result<Feed<LogLine>> {
        self.deployment(actor, id).await?;
        let (store, team) = (self.store().clone(), actor.team_id);
        let read = move |after| {
            let store = store.clone();
            async move { store.log_list(team, id, after, BATCH).await }
        };
        Ok(self.feed(actor, Topic::DeploymentLogs(id), after, read, |line| line.number))
    }

    /// The events of all of a project's deployments with project numbers above `after`, those to come included.
    pub async fn project_events(&self, actor: &Actor, id: ProjectId, after: i64) -> Result<Feed<DeploymentEvent>> {
        self.project(actor, id).await?;
        let (store, team) = (self.store().clone(), actor.team_id);
        let read = move |after| {
            let store = store.clone();
            async move { store.project_event_list(team, id, after, BATCH).await }
        };
        Ok(self.feed(actor, Topic::ProjectEvents(id), after, read, |event| event.project_number))
    }

    /// Up to `limit` log lines of a deployment with numbers above `after`.
    pub async fn log_lines(&self, actor: &Actor, id: DeploymentId, after: i64, limit: i64) -> Result<Vec<LogLine>> {
        require(actor, Permission::ProjectRead)?;
        Ok(self.store().log_list(actor.team_id, id, after, limit).await?)
    }

    /// Up to `limit` events of a deployment with numbers above `after`.
    pub async fn event_lines(&self, actor: &Actor, id: DeploymentId, after: i64, limit: i64) -> Result<Vec<DeploymentEvent>> {
        require(actor, Permission::ProjectRead)?;
        Ok(self.store().event_list(actor.team_id, id, after, limit).await?)
    }

    fn feed<T, R, F>(&self, actor: &Actor, topic: Topic, after: i64, read: R, number: fn(&T) -> i64) -> Feed<T>
    where
        T: Send + 'static,
        R: Fn(i64) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Vec<T>, StoreError>> + Send + 'static,
    {
        // Subscribed before the first read, so that nothing falls between the two.
        let hints = self.inner.bus.subscribe(topic);
        let state = State { services: self.clone(), actor: actor.clone(), hints, after, checked: Instant::now(), ended: false };
        unfold((state, read), move |(mut state, read)| async move {
            if state.ended {
                return None;
            }
            let batch = state.next(&read, number).await;
            state.ended = batch.is_err();
            let items: Vec<Result<T>> = match batch {
                Ok(rows) => rows.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            Some((futures::stream::iter(items), (state, read)))
        })
        .flatten()
        .boxed()
    }
}

struct State {
    services: Services,
    actor: Actor,
    hints: Subscription,
    after: i64,
    checked: Instant,
    ended: bool,
}

impl State {
    /// Waits for the next rows. A busy feed looks at the credential as often as a quiet one.
    async fn next<T, R, F>(&mut self, read: &R, number: fn(&T) -> i64) -> Result<Vec<T>>
    where
        R: Fn(i64) -> F,
        F: Future<Output = Result<Vec<T>, StoreError>>,
    {
        loop {
            if self.checked.elapsed() > RECHECK {
                if !self.services.still_valid(&self.actor).await? {
                    return Err(ServiceError::Unauthenticated(
                        "the credential of this subscription was revoked or has expired: sign in again",
                    ));
                }
                self.checked = Instant::now();
            }
            let rows = read(self.after).await?;
            if let Some(last) = rows.last() {
                self.after = number(last);
                return Ok(rows);
            }
            // Time running out is the moment to look at the credential, and at the rows in case a hint was lost.
            let _ = tokio::time::timeout(RECHECK, self.hints.changed()).await;
        }
    }
}
