//! The local cloud over several machines: each edge runs its share of what the database asks for, and says what it has.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{CloudError, Desired, Observation, Route};
use clouds_local::Edges;
use clouds_local::control::{ControlPlane, Elsewhere, Routes, Workload};
use clouds_local::placement::{EdgeViews, LiveEdge};
use domain::artifact::Digest;
use domain::event::NewLine;
use domain::id::{DeploymentId, EdgeId, ProjectId, TeamId};
use domain::secret::Secret;
use domain::time::now;
use domain::workload::WorkloadSpec;
use jobs::{EventBus, Topic};
use services::LocalControl;
use store::{EdgeRow, Store, StoreError};

use crate::local_control::{InProcess, read, write};

/// Interval of an edge's heartbeats, and the silence after which it counts as away.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(3);
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(11);

/// Interval at which the rows are polled while waiting for edges.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The edges that give signs of life.
pub async fn alive(store: &Store) -> Result<Vec<EdgeRow>, StoreError> {
    store.edge_list_alive(now() - HEARTBEAT_TIMEOUT).await
}

/// The control plane as an edge, or who asks the edges for something, sees it. What differs from one machine alone is here, the rest is
/// the same.
pub struct Fleet {
    rest: InProcess,
    store: Store,
    /// The edge of this process.
    me: Option<EdgeId>,
    /// Routes that it last reported as served.
    shown: Mutex<Routes>,
}

impl Fleet {
    /// The control plane of an edge; or, without one, of who asks the edges.
    pub fn new(control: LocalControl, me: Option<EdgeId>) -> Self {
        let store = control.store.clone();
        Self { rest: InProcess(control), store, me, shown: Mutex::default() }
    }

    async fn views(&self, deployment: Option<DeploymentId>) -> Result<EdgeViews, CloudError> {
        let edges = alive(&self.store).await.map_err(failed)?;
        let mut observed: HashMap<_, HashMap<_, _>> = HashMap::new();
        for row in self.store.edge_observation_list(deployment).await.map_err(failed)? {
            observed.entry(row.deployment_id).or_default().insert(row.edge_id, read(row.observed)?);
        }
        let live = |EdgeRow { id, name, address, .. }| LiveEdge { id, name, address };
        Ok(EdgeViews { edges: edges.into_iter().map(live).collect(), observed })
    }
}

fn failed(error: StoreError) -> CloudError {
    CloudError::internal("the control plane's database failed", error)
}

#[async_trait]
impl ControlPlane for Fleet {
    async fn workloads(&self) -> Result<Vec<Workload>, CloudError> {
        let all = self.rest.workloads().await?;
        let Some(me) = self.me else { return Ok(all) };
        let views = self.views(None).await?;
        Ok(all.into_iter().filter_map(|workload| views.assign(me, workload)).collect())
    }

    async fn workload(&self, deployment_id: DeploymentId) -> Result<Option<Workload>, CloudError> {
        let Some(mut workload) = self.rest.workload(deployment_id).await? else { return Ok(None) };
        workload.observed = self.views(Some(deployment_id)).await?.aggregate(&workload.desired);
        Ok(Some(workload))
    }

    async fn put_workload(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        self.rest.put_workload(desired).await
    }

    async fn delete_workload(&self, deployment_id: DeploymentId) -> Result<(), CloudError> {
        self.rest.delete_workload(deployment_id).await
    }

    async fn routes(&self) -> Result<Routes, CloudError> {
        self.rest.routes().await
    }

    async fn domains(&self) -> Result<HashSet<String>, CloudError> {
        self.rest.domains().await
    }

    async fn put_route(&self, route: &Route) -> Result<(), CloudError> {
        self.rest.put_route(route).await
    }

    async fn delete_route(&self, owner: (TeamId, ProjectId), label: &str) -> Result<(), CloudError> {
        self.rest.delete_route(owner, label).await
    }

    async fn elsewhere(&self) -> Result<HashMap<DeploymentId, Elsewhere>, CloudError> {
        let views = self.views(None).await?;
        let mut elsewhere = HashMap::new();
        for workload in self.rest.workloads().await? {
            if !matches!(workload.desired.spec, WorkloadSpec::Server(_)) {
                continue;
            }
            let id = workload.desired.deployment_id;
            let ready = views.ready(id);
            let others = views.edges.iter().filter(|edge| Some(edge.id) != self.me && ready.contains(&edge.id));
            let edges: Vec<_> = others.filter_map(|edge| edge.address.parse().ok()).collect();
            if !edges.is_empty() {
                elsewhere.insert(id, Elsewhere { label: workload.desired.label, edges });
            }
        }
        Ok(elsewhere)
    }

    async fn report_shown(&self, shown: &Routes) -> Result<(), CloudError> {
        let Some(me) = self.me else { return Ok(()) };
        let before = self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if before == *shown {
            return Ok(());
        }
        let gone = before.keys().filter(|label| !shown.contains_key(*label)).map(|label| (label, None));
        let new = shown.iter().filter(|(label, id)| before.get(*label) != Some(*id)).map(|(label, id)| (label, Some(*id)));
        let mut tx = self.store.begin().await.map_err(failed)?;
        for (label, deployment) in gone.chain(new) {
            tx.edge_route_put(me, label, deployment).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone_from(shown);
        Ok(())
    }

    async fn report_gone(&self, deployment_id: DeploymentId) -> Result<(), CloudError> {
        let Some(me) = self.me else { return Ok(()) };
        let mut tx = self.store.begin().await.map_err(failed)?;
        tx.edge_unobserve(me, deployment_id).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn report(&self, deployment_id: DeploymentId, observed: &Observation) -> Result<(), CloudError> {
        let Some(me) = self.me else { return Ok(()) };
        let mut tx = self.store.begin().await.map_err(failed)?;
        tx.edge_observe(me, deployment_id, &write(observed)?).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError> {
        self.rest.artifact(digest).await
    }

    async fn variables(&self, deployment_id: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError> {
        self.rest.variables(deployment_id).await
    }

    async fn append_logs(&self, deployment_id: DeploymentId, lines: Vec<NewLine>) -> Result<(), CloudError> {
        self.rest.append_logs(deployment_id, lines).await
    }
}

/// The edges of other processes.
pub struct OtherEdges {
    store: Store,
    bus: EventBus,
    url: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

impl OtherEdges {
    /// The edges behind this database; `url` says under which address a label is seen.
    pub fn new(store: Store, bus: EventBus, url: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self { store, bus, url: Arc::new(url) }
    }

    async fn wait(&self, for_what: &Awaited<'_>) {
        loop {
            match self.holds(for_what).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::debug!(error = jobs::handler::chain(&error), "the edges cannot be looked at"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Returns true if the awaited condition holds on every edge that is alive.
    async fn holds(&self, awaited: &Awaited<'_>) -> Result<bool, StoreError> {
        let edges = alive(&self.store).await?;
        Ok(match awaited {
            Awaited::Shown(label, id) => {
                let shown: HashMap<_, _> = self.store.edge_route_list(label).await?.into_iter().collect();
                !edges.is_empty() && edges.iter().all(|edge| shown.get(&edge.id) == Some(id))
            }
            Awaited::Hidden(label) => {
                let shown: HashMap<_, _> = self.store.edge_route_list(label).await?.into_iter().collect();
                edges.iter().all(|edge| !shown.contains_key(&edge.id))
            }
            Awaited::Gone(id) => {
                let observed = self.store.edge_observation_list(Some(*id)).await?;
                edges.iter().all(|edge| observed.iter().all(|row| row.edge_id != edge.id))
            }
        })
    }
}

/// Condition that is awaited.
enum Awaited<'a> {
    Shown(&'a str, DeploymentId),
    Hidden(&'a str),
    Gone(DeploymentId),
}

#[async_trait]
impl Edges for OtherEdges {
    fn refresh(&self) {
        self.bus.publish(Topic::Edges);
    }

    async fn wait_shown(&self, label: &str, deployment_id: DeploymentId) {
        self.wait(&Awaited::Shown(label, deployment_id)).await;
    }

    async fn wait_hidden(&self, label: &str) {
        self.wait(&Awaited::Hidden(label)).await;
    }

    async fn wait_gone(&self, deployment_id: DeploymentId) {
        self.wait(&Awaited::Gone(deployment_id)).await;
    }

    async fn address(&self) -> Option<String> {
        Some(alive(&self.store).await.ok()?.into_iter().next()?.address)
    }

    fn url(&self, label: &str) -> String {
        (self.url)(label)
    }
}
