//! Streams of numbered rows that can be resumed: whoever reconnects with the last number seen misses nothing and sees nothing twice.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use domain::access::{Actor, Credential, Permission, Rights};
use domain::deployment::Deployment;
use domain::event::{DeploymentEvent, LogLine};
use domain::id::{DeploymentId, ProjectId, TeamId};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt, unfold};
use jobs::Topic;
use jobs::bus::Subscription;
use services_core::shared_reads::SharedReads;
use services_core::{Result, ServiceError, require_on};

use crate::Feeds;
use crate::ProjectServices;
use crate::feed_places::FeedPlace;

/// A stream of rows; it ends with an error when the actor's credential no longer stands.
pub type Feed<T> = BoxStream<'static, Result<T>>;

/// Interval at which a feed checks the credential.
const RECHECK: Duration = Duration::from_secs(2);
/// Interval at which a quiet feed polls the rows in case a hint was lost. Lost hints are rare: the carrier retries, and reports
/// its outages.
const LOOK: Duration = Duration::from_secs(20);
const BATCH: i64 = 500;

/// Key of a read: the team's rows, of this topic, above this number, as of the hint with this number or later.
type Key = (TeamId, Topic, i64, u64);

/// The reads that the feeds of this process share.
#[derive(Default)]
pub(crate) struct FeedReads {
    events: SharedReads<Key, Vec<DeploymentEvent>>,
    lines: SharedReads<Key, Vec<LogLine>>,
    /// Validity of a credential, by the actor, the number of changes of rights in this process and the number of the period of
    /// time.
    credentials: SharedReads<(Credential, TeamId, Arc<Rights>, u64, u64), bool>,
}

/// A kind of row that feeds carry.
trait Row: Clone + Send + Sync + Sized + 'static {
    /// Returns the shared reads of this type.
    fn reads(reads: &FeedReads) -> &SharedReads<Key, Vec<Self>>;

    /// Rows of a topic above a number.
    fn list(services: ProjectServices, team: TeamId, topic: Topic, after: i64) -> BoxFuture<'static, Result<Vec<Self>>>;

    /// Its number within the topic.
    fn number(&self, topic: Topic) -> i64;
}

impl Row for DeploymentEvent {
    fn reads(reads: &FeedReads) -> &SharedReads<Key, Vec<Self>> {
        &reads.events
    }

    fn list(services: ProjectServices, team: TeamId, topic: Topic, after: i64) -> BoxFuture<'static, Result<Vec<Self>>> {
        async move {
            match topic {
                Topic::DeploymentEvents(id) => Ok(services.store().event_list(team, id, after, BATCH).await?),
                Topic::ProjectEvents(id) => Ok(services.store().project_event_list(team, id, after, BATCH).await?),
                Topic::DeploymentLogs(_) | Topic::Edges | Topic::Job(_) => Ok(Vec::new()),
            }
        }
        .boxed()
    }

    fn number(&self, topic: Topic) -> i64 {
        if matches!(topic, Topic::ProjectEvents(_)) { self.project_number } else { self.number }
    }
}

impl Row for LogLine {
    fn reads(reads: &FeedReads) -> &SharedReads<Key, Vec<Self>> {
        &reads.lines
    }

    fn list(services: ProjectServices, team: TeamId, topic: Topic, after: i64) -> BoxFuture<'static, Result<Vec<Self>>> {
        async move {
            let Topic::DeploymentLogs(id) = topic else { return Ok(Vec::new()) };
            services.logs().read(team, id, after, BATCH).await
        }
        .boxed()
    }

    fn number(&self, _: Topic) -> i64 {
        self.number
    }
}

impl Feeds {
    /// The events of a deployment with numbers above `after`, those to come included.
    pub async fn deployment_events(&self, actor: &Actor, id: DeploymentId, after: i64) -> Result<Feed<DeploymentEvent>> {
        self.deployments().get(actor, id).await?;
        self.feed(actor, Topic::DeploymentEvents(id), after)
    }

    /// The log lines of a deployment with numbers above `after`, those to come included.
    pub async fn deployment_logs(&self, actor: &Actor, id: DeploymentId, after: i64) -> Result<Feed<LogLine>> {
        self.deployments().get(actor, id).await?;
        self.feed(actor, Topic::DeploymentLogs(id), after)
    }

    /// The events of all of a project's deployments with project numbers above `after`, those to come included.
    pub async fn project_events(&self, actor: &Actor, id: ProjectId, after: i64) -> Result<Feed<DeploymentEvent>> {
        self.projects().get(actor, id).await?;
        self.feed(actor, Topic::ProjectEvents(id), after)
    }

    /// Up to `limit` log lines of a deployment with numbers above `after`.
    pub async fn log_lines(&self, actor: &Actor, of: &Deployment, after: i64, limit: i64) -> Result<Vec<LogLine>> {
        require_on(actor, Permission::ProjectRead, of.into(), "deployment")?;
        self.logs().read(actor.team_id, of.id, after, limit).await
    }

    /// Up to `limit` events of a deployment with numbers above `after`.
    pub async fn event_lines(&self, actor: &Actor, of: &Deployment, after: i64, limit: i64) -> Result<Vec<DeploymentEvent>> {
        require_on(actor, Permission::ProjectRead, of.into(), "deployment")?;
        Ok(self.store().event_list(actor.team_id, of.id, after, limit).await?)
    }

    /// Up to `limit` events of all of a project's deployments with project numbers above `after`.
    pub async fn project_event_lines(
        &self,
        actor: &Actor,
        project: ProjectId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<DeploymentEvent>> {
        self.projects().get(actor, project).await?;
        Ok(self.store().project_event_list(actor.team_id, project, after, limit).await?)
    }

    /// An error when what an actor showed earlier no longer stands, or allows something else by now: long-lived connections ask this again
    /// and again, and before each operation. A change in this process is seen at once, one in another within two seconds.
    pub async fn check_standing(&self, actor: &Actor) -> Result<()> {
        let period = PERIODS.elapsed().as_secs() / RECHECK.as_secs();
        let key = (actor.credential, actor.team_id, Arc::clone(&actor.rights), self.sessions().rights_generation(), period);
        let expired = actor.expires_at.is_some_and(|at| at <= domain::time::now());
        let (services, asked) = (self.clone(), actor.clone());
        let look = move || async move { services.sessions().still_valid(&asked).await.ok() }.boxed();
        let stands = match self.feed_reads().credentials.get(key, look).await {
            Some(stands) => *stands && !expired,
            None => self.sessions().still_valid(actor).await?,
        };
        if stands {
            return Ok(());
        }
        Err(ServiceError::Unauthenticated(
            "the credential of this connection was revoked or has expired, or what it allows has changed: connect again",
        ))
    }

    fn feed<T: Row>(&self, actor: &Actor, topic: Topic, after: i64) -> Result<Feed<T>> {
        let place = self.feed_places().take(actor.user_id)?;
        // Subscribed before the first read, so that nothing falls between the two.
        let hints = self.subscribe(topic);
        let state = State {
            services: self.0.clone(),
            actor: Arc::new(actor.clone()),
            topic,
            hints,
            after,
            checked: Instant::now(),
            _place: place,
        };
        let feed = unfold(Some(state), async |state| {
            let mut state = state?;
            match state.next().await {
                Ok(rows) => Some((futures::stream::iter(rows.into_iter().map(Ok).collect::<Vec<_>>()), Some(state))),
                Err(error) => Some((futures::stream::iter(vec![Err(error)]), None)),
            }
        })
        .flatten();
        Ok(feed.boxed())
    }
}

struct State {
    services: ProjectServices,
    actor: Arc<Actor>,
    topic: Topic,
    hints: Subscription,
    after: i64,
    checked: Instant,
    _place: FeedPlace,
}

impl State {
    /// Waits for the next rows. A busy feed looks at the credential as often as a quiet one.
    async fn next<T: Row>(&mut self) -> Result<Vec<T>> {
        let mut looked = Instant::now();
        let version = self.hints.version();
        let mut rows: Vec<T> = self.read(version).await?;
        loop {
            if self.checked.elapsed() > RECHECK {
                self.check_credential().await?;
            }
            if let Some(last) = rows.last() {
                self.after = last.number(self.topic);
                return Ok(rows);
            }
            let hinted = tokio::time::timeout(RECHECK, self.hints.changed()).await.is_ok();
            if hinted {
                let version = self.hints.version();
                rows = self.read(version).await?;
            } else if looked.elapsed() > LOOK {
                looked = Instant::now();
                rows = T::list(self.services.clone(), self.actor.team_id, self.topic, self.after).await?;
            }
        }
    }

    /// The rows that are there at this hint, for all who ask at once.
    async fn read<T: Row>(&self, version: u64) -> Result<Vec<T>> {
        let (services, team, topic, after) = (self.services.clone(), self.actor.team_id, self.topic, self.after);
        let list = move || T::list(services, team, topic, after);
        let shared = T::reads(self.services.feed_reads());
        let again = list.clone();
        match shared.get((team, topic, after, version), || list().map(Result::ok).boxed()).await {
            Some(rows) => Ok(rows.to_vec()),
            None => again().await,
        }
    }

    async fn check_credential(&mut self) -> Result<()> {
        self.services.feeds().check_standing(&self.actor).await?;
        self.checked = Instant::now();
        Ok(())
    }
}

/// Credentials are looked at once in each period for all feeds of their owner.
static PERIODS: LazyLock<Instant> = LazyLock::new(Instant::now);
