//! A control plane in memory: for tests, and for a sandbox whose state is elsewhere.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use clouds_contract::{CloudError, Desired, ErrorKind, Observation, Route};
use domain::artifact::Digest;
use domain::event::NewLine;
use domain::id::{DeploymentId, ProjectId, TeamId};
use domain::secret::Secret;
use domain::workload::WorkloadSpec;

use super::{ControlPlane, Routes, Workload};

/// Control plane whose rows are in memory and end with it.
#[derive(Default)]
pub struct MemoryControl {
    state: Mutex<State>,
}

/// Rows of a [`MemoryControl`].
#[derive(Default)]
pub struct State {
    /// Workloads that shall exist, with what was last observed of them.
    pub workloads: HashMap<DeploymentId, Workload>,
    /// Deployments that host labels serve.
    pub routes: Routes,
    /// Directories of the artifacts.
    pub artifacts: HashMap<Digest, PathBuf>,
    /// Variables of each deployment.
    pub variables: HashMap<DeploymentId, Vec<(String, Secret)>>,
    /// Lines that workloads printed, in their order.
    pub logs: Vec<(DeploymentId, NewLine)>,
    /// Every observation that was reported, in its order.
    pub reports: Vec<(DeploymentId, Observation)>,
}

impl MemoryControl {
    /// A control plane without any row.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The rows, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lines that a workload printed, each with the name of its stream.
    pub fn log_text(&self, id: DeploymentId) -> String {
        let state = self.lock();
        let lines = state.logs.iter().filter(|(owner, _)| *owner == id);
        lines.map(|(_, line)| format!("{}: {}\n", line.stream.name(), line.text)).collect::<Vec<_>>().concat()
    }

    /// Last observation of a workload.
    pub fn observed(&self, id: DeploymentId) -> Observation {
        self.lock().workloads.get(&id).map_or(Observation::Absent, |workload| workload.observed.clone())
    }
}

#[async_trait]
impl ControlPlane for MemoryControl {
    async fn workloads(&self) -> Result<Vec<Workload>, CloudError> {
        Ok(self.lock().workloads.values().cloned().collect())
    }

    async fn workload(&self, id: DeploymentId) -> Result<Option<Workload>, CloudError> {
        Ok(self.lock().workloads.get(&id).cloned())
    }

    async fn put_workload(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        let mut state = self.lock();
        let known = state.workloads.get(&desired.deployment_id);
        if known.is_none_or(|known| known.desired != *desired) {
            let observed = Observation::Pending { detail: "waits for the edge".to_owned() };
            state.workloads.insert(desired.deployment_id, Workload { desired: desired.clone(), observed });
        }
        Ok(())
    }

    async fn delete_workload(&self, id: DeploymentId) -> Result<(), CloudError> {
        self.lock().workloads.remove(&id);
        Ok(())
    }

    async fn routes(&self) -> Result<Routes, CloudError> {
        Ok(self.lock().routes.clone())
    }

    async fn put_route(&self, route: &Route) -> Result<(), CloudError> {
        self.lock().routes.insert(route.label.clone(), route.deployment_id);
        Ok(())
    }

    async fn delete_route(&self, _: (TeamId, ProjectId), label: &str) -> Result<(), CloudError> {
        self.lock().routes.remove(label);
        Ok(())
    }

    async fn report(&self, id: DeploymentId, observed: &Observation) -> Result<(), CloudError> {
        let mut state = self.lock();
        if let Some(workload) = state.workloads.get_mut(&id) {
            workload.observed = observed.clone();
        }
        state.reports.push((id, observed.clone()));
        Ok(())
    }

    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError> {
        let found = self.lock().artifacts.get(digest).cloned();
        found.ok_or_else(|| CloudError::new(ErrorKind::NotFound, "NOT_FOUND", "no such artifact"))
    }

    async fn variables(&self, id: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError> {
        Ok(self.lock().variables.get(&id).cloned().unwrap_or_default())
    }

    async fn append_logs(&self, id: DeploymentId, lines: Vec<NewLine>) -> Result<(), CloudError> {
        self.lock().logs.extend(lines.into_iter().map(|line| (id, line)));
        Ok(())
    }
}
