//! Makes what this edge has equal to what is desired.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clouds_contract::{CloudError, Desired, Observation};
use domain::artifact::Digest;
use domain::id::DeploymentId;
use domain::workload::WorkloadSpec;
use http::uri::Authority;
use tokio::sync::watch;
use tokio::time::sleep;

use super::deployed::Deployed;
use super::instance::{Instance, Pool};
use super::shared::Shared;
use super::table::{Table, Target};
use crate::control::{Elsewhere, Routes, Workload};
use crate::engine::Image;

/// Interval at which the desired state is read without a notification of a change.
const INTERVAL: Duration = Duration::from_secs(2);

/// Workloads of this edge, reconciled with the desired state.
pub(crate) struct Reconciler {
    pub shared: Arc<Shared>,
    state: Mutex<State>,
    table: watch::Sender<Arc<Table>>,
    /// Counts workloads that are gone for good.
    gone: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    deployed: HashMap<DeploymentId, Arc<Deployed>>,
    /// Being stopped.
    retiring: HashSet<DeploymentId>,
    /// Deployment that each route's label serves now.
    shown: Routes,
    /// Deployments that answer on other machines, with the machines.
    elsewhere: HashMap<DeploymentId, Elsewhere>,
    edges: HashMap<Authority, Arc<Instance>>,
}

impl Reconciler {
    /// A reconciler that has nothing yet.
    pub fn new(shared: Arc<Shared>) -> Arc<Self> {
        let (table, gone) = (watch::channel(Arc::default()).0, watch::channel(0).0);
        Arc::new(Self { shared, state: Mutex::default(), table, gone })
    }

    /// Runs until the edge stops.
    pub async fn run(self: Arc<Self>) {
        while !self.shared.stop.is_cancelled() {
            tokio::select! {
                () = self.shared.reconcile.notified() => {}
                () = sleep(INTERVAL) => {}
                () = self.shared.stop.cancelled() => return,
            }
            if let Err(error) = self.pass().await {
                tracing::warn!(%error, "the desired state cannot be read; what runs goes on");
            }
        }
    }

    /// Reports what is observed, until the edge stops.
    pub async fn report(self: Arc<Self>) {
        while !self.shared.stop.is_cancelled() {
            self.report_changes().await;
            tokio::select! {
                () = self.shared.report.notified() => {}
                () = sleep(INTERVAL) => {}
                () = self.shared.stop.cancelled() => {}
            }
        }
    }

    async fn report_changes(&self) {
        let shown = self.lock().shown.clone();
        if let Err(error) = self.shared.control.report_shown(&shown).await {
            tracing::debug!(%error, "what is shown is not reported yet");
        }
        let all: Vec<_> = self.lock().deployed.values().cloned().collect();
        for deployed in all {
            let (status, id) = (&deployed.place.status, deployed.place.id());
            let Some(observation) = status.unreported() else { continue };
            if let Observation::Failed { code, message } = &observation {
                tracing::info!(%id, code, message, "a workload failed");
            }
            match self.shared.control.report(id, &observation).await {
                Ok(()) => status.reported(observation),
                Err(error) => tracing::debug!(%id, %error, "an observation is not reported yet"),
            }
        }
    }

    /// Reads the desired state once and starts what leads there.
    pub async fn pass(self: &Arc<Self>) -> Result<(), CloudError> {
        let routes = self.shared.control.routes().await?;
        let domains = self.shared.control.domains().await?;
        let elsewhere = self.shared.control.elsewhere().await?;
        let workloads = self.shared.control.workloads().await?;
        let mut state = self.lock();
        state.elsewhere = elsewhere;
        let leaving = state.take_unwanted(&workloads);
        self.add_new(&mut state, workloads, &routes);
        state.show(&routes);
        let table = state.table(domains);
        self.table.send_replace(Arc::new(table));
        state.set_live(&routes);
        drop(state);
        self.shared.report.notify_one();
        for deployed in leaving {
            self.retire(deployed);
        }
        Ok(())
    }

    fn add_new(&self, state: &mut State, workloads: Vec<Workload>, routes: &Routes) {
        let live: HashSet<_> = routes.values().copied().collect();
        for workload in workloads {
            let id = workload.desired.deployment_id;
            if let Some(deployed) = state.deployed.get(&id) {
                deployed.set_replicas(&workload.desired.spec);
            } else if !state.retiring.contains(&id) {
                state.deployed.insert(id, Deployed::start(Arc::clone(&self.shared), workload, live.contains(&id)));
            }
        }
    }

    /// Removes the files of what is not wanted any more. To be called before anything is started: a directory that is being made
    /// would not be spared.
    pub async fn clean(&self) -> Result<(), CloudError> {
        let workloads = self.shared.control.workloads().await?;
        let ids: HashSet<_> = workloads.iter().map(|workload| workload.desired.deployment_id).collect();
        self.shared.workdirs.keep_only(&ids);
        let images = self.images(&workloads).await;
        let digests: HashSet<_> = workloads.into_iter().map(|workload| workload.desired.artifact).collect();
        self.shared.library.keep_only(|digest| digests.contains(digest)).await;
        self.shared.config.engine.clean(&images).await;
        Ok(())
    }

    /// The ids of the images that workloads run.
    async fn images(&self, workloads: &[Workload]) -> HashSet<String> {
        let mut ids = HashSet::new();
        for desired in workloads.iter().map(|workload| &workload.desired).filter(|desired| is_image(&desired.spec)) {
            if let Ok(artifact) = self.shared.control.artifact(&desired.artifact).await
                && let Ok(image) = Image::read(&artifact).await
            {
                ids.insert(image.id);
            }
        }
        ids
    }

    /// Removes from the engine what a workload had there: its containers, and its image unless another workload runs it.
    async fn remove_from_engine(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        let engine = &self.shared.config.engine;
        let client = engine.client().await?;
        engine.remove_deployment(client, desired.deployment_id).await?;
        // A workload that comes now waits for this turn before it looks for its image.
        let _turn = engine.turn().await;
        if self.is_wanted(&desired.artifact) {
            return Ok(());
        }
        let image = Image::read(&self.shared.control.artifact(&desired.artifact).await?).await?;
        engine.remove_image(client, &image, desired.project_id).await
    }

    fn is_wanted(&self, digest: &Digest) -> bool {
        self.lock().deployed.values().any(|deployed| deployed.desired().artifact == *digest)
    }

    fn retire(self: &Arc<Self>, deployed: Arc<Deployed>) {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            deployed.retire().await;
            let id = deployed.place.id();
            this.shared.workdirs.remove(id).await;
            if is_image(&deployed.desired().spec)
                && let Err(error) = this.remove_from_engine(deployed.desired()).await
            {
                tracing::warn!(%id, %error, "the next start removes what a workload leaves in the container engine");
            }
            this.shared.library.keep_only(|digest| this.is_wanted(digest)).await;
            if let Err(error) = this.shared.control.report_gone(id).await {
                tracing::debug!(%id, %error, "the end of a workload is not reported");
            }
            this.lock().retiring.remove(&id);
            this.gone.send_modify(|count| *count += 1);
            // It may be wanted again, or in another form.
            this.shared.reconcile.notify_one();
        });
    }

    /// Returns the table of the labels and the workloads that answer them now.
    pub fn table(&self) -> watch::Receiver<Arc<Table>> {
        self.table.subscribe()
    }

    /// Returns the workload that answers this label now.
    pub fn target(&self, label: &str) -> Option<Target> {
        self.table.borrow().get(label).cloned()
    }

    /// Returns true if this is a custom domain of a team.
    pub fn is_domain(&self, name: &str) -> bool {
        self.table.borrow().is_domain(name)
    }

    /// The workload of this machine that answers this label now.
    pub fn find(&self, label: &str) -> Option<Arc<Deployed>> {
        self.target(label)?.here
    }

    /// Waits until nothing of this deployment is left here.
    pub async fn wait_gone(&self, id: DeploymentId) {
        let mut gone = self.gone.subscribe();
        let mut table = self.table();
        loop {
            let left = {
                let state = self.lock();
                state.deployed.contains_key(&id) || state.retiring.contains(&id)
            };
            if !left {
                return;
            }
            tokio::select! {
                _ = gone.changed() => {}
                _ = table.changed() => {}
            }
        }
    }

    /// Stops everything and waits until nothing runs. Files stay for the next start.
    pub async fn retire_all(&self) {
        let all: Vec<_> = self.lock().deployed.values().cloned().collect();
        futures::future::join_all(all.iter().map(|deployed| deployed.retire())).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_image(spec: &WorkloadSpec) -> bool {
    matches!(spec, WorkloadSpec::Server(server) if server.image.is_some())
}

impl State {
    /// Takes out what is not wanted any more, or in another form.
    fn take_unwanted(&mut self, workloads: &[Workload]) -> Vec<Arc<Deployed>> {
        let wanted: HashMap<_, _> =
            workloads.iter().map(|workload| (workload.desired.deployment_id, &workload.desired)).collect();
        let unwanted =
            |id: &DeploymentId, deployed: &mut Arc<Deployed>| wanted.get(id).is_none_or(|desired| !deployed.is_as(desired));
        let leaving: Vec<_> = self.deployed.extract_if(unwanted).map(|(_, deployed)| deployed).collect();
        self.retiring.extend(leaving.iter().map(|deployed| deployed.place.id()));
        leaving
    }

    /// Lets each route's label show its deployment; one that does not answer yet waits behind the one that was shown, if that does.
    fn show(&mut self, routes: &Routes) {
        let (deployed, elsewhere) = (&self.deployed, &self.elsewhere);
        self.shown.retain(|label, id| routes.contains_key(label) && (deployed.contains_key(id) || elsewhere.contains_key(id)));
        for (label, id) in routes {
            let Some(target) = self.deployed.get(id) else {
                if self.elsewhere.contains_key(id) {
                    self.shown.insert(label.clone(), *id);
                }
                continue;
            };
            let before = self.shown.get(label).and_then(|id| self.deployed.get(id));
            let keep = !target.is_serving() && before.is_some_and(|before| before.is_serving());
            if !keep {
                self.shown.insert(label.clone(), *id);
            }
        }
    }

    /// Builds the table of the labels and the workloads that answer them now: deployments by their own, then the targets of the
    /// routes.
    fn table(&mut self, domains: HashSet<String>) -> Table {
        let known: HashSet<_> = self.elsewhere.values().flat_map(|elsewhere| &elsewhere.edges).cloned().collect();
        self.edges.retain(|authority, _| known.contains(authority));
        for authority in known {
            self.edges.entry(authority).or_insert_with_key(|authority| Instance::new(authority.clone()));
        }
        let own = self.deployed.iter().map(|(id, deployed)| (deployed.desired().label.clone(), *id));
        let own = own.chain(self.elsewhere.iter().map(|(id, elsewhere)| (elsewhere.label.clone(), *id)));
        let labels = own.chain(self.shown.iter().map(|(label, id)| (label.clone(), *id)));
        Table::new(labels.map(|(label, id)| (label, self.target(id))), domains)
    }

    fn target(&self, deployment_id: DeploymentId) -> Target {
        let there = self.elsewhere.get(&deployment_id).map(|elsewhere| {
            let pool = Pool::default();
            for edge in elsewhere.edges.iter().filter_map(|authority| self.edges.get(authority)) {
                pool.add(Arc::clone(edge));
            }
            Arc::new(pool)
        });
        Target { deployment_id, here: self.deployed.get(&deployment_id).cloned(), there }
    }

    fn set_live(&self, routes: &Routes) {
        let live: HashSet<_> = routes.values().chain(self.shown.values()).collect();
        for (id, deployed) in &self.deployed {
            deployed.set_live(live.contains(id));
        }
    }
}
