//! Resources that all workloads of an edge share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::DeploymentId;
use domain::secret::Secret;
use domain::workload::WorkloadSpec;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::config::EdgeConfig;
use super::files::Library;
use super::instance::StartFailure;
use super::logs::LogPipe;
use super::proxy::Upstream;
use super::server::FixedPorts;
use super::status::Status;
use super::workdir::Workdirs;
use crate::control::{SharedControlPlane, Workload};

/// Resources that all workloads of an edge share.
pub(crate) struct Shared {
    pub config: EdgeConfig,
    pub control: SharedControlPlane,
    pub library: Library,
    pub workdirs: Workdirs,
    pub upstream: Upstream,
    pub fixed_ports: FixedPorts,
    /// The desired state, or the state of a workload, changed: look again.
    pub reconcile: Arc<Notify>,
    /// Something new is to be reported.
    pub report: Arc<Notify>,
    /// Fires when the edge ends.
    pub stop: CancellationToken,
    /// Times for which requests in progress, and processes, may continue after that.
    pub stop_times: Mutex<StopTimes>,
}

/// Times that are available when the edge ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StopTimes {
    /// For requests under way.
    pub drain: Duration,
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
}

impl Shared {
    /// Returns the time for which requests in progress may continue when the edge ends.
    pub fn stop_drain(&self) -> Option<Duration> {
        self.stop_times().map(|times| times.drain)
    }

    fn stop_times(&self) -> Option<StopTimes> {
        self.stop.is_cancelled().then(|| *self.stop_times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One workload's part of the edge, whatever its kind.
pub(crate) struct Place {
    pub shared: Arc<Shared>,
    pub desired: clouds_contract::Desired<WorkloadSpec>,
    pub status: Status,
    pub logs: LogPipe,
    /// Fires when the workload is to be gone.
    pub retire: CancellationToken,
    processes: AtomicU64,
}

impl Place {
    /// A place for this workload.
    pub fn new(shared: Arc<Shared>, workload: Workload) -> Arc<Self> {
        let logs = LogPipe::new(Arc::clone(&shared.control), workload.desired.deployment_id);
        let status = Status::new(workload.observed, Arc::clone(&shared.report));
        let retire = shared.stop.child_token();
        Arc::new(Self { shared, desired: workload.desired, status, logs, retire, processes: AtomicU64::new(0) })
    }

    /// The deployment.
    pub fn id(&self) -> DeploymentId {
        self.desired.deployment_id
    }

    /// The marker of one of its processes: another for each, because by it a process and its children are told from its
    /// successor's. It ends with the process's number.
    pub fn marker(&self, name: &str) -> String {
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        format!("{}{}:{name}:{number}", self.shared.config.marker_prefix(), self.id())
    }

    /// The variables of its configuration; from now on its log does not show them. Those of its plan and project file are public.
    pub async fn variables(&self) -> Result<Vec<(String, Secret)>, StartFailure> {
        let variables = self.shared.control.variables(self.id()).await?;
        self.logs.hide(variables.iter().map(|(_, value)| value));
        Ok(variables)
    }

    /// Returns the time of a process between SIGTERM and SIGKILL.
    pub fn stop_grace(&self) -> Duration {
        self.shared.stop_times().map_or(self.shared.config.stop_grace, |times| times.grace)
    }

    /// It became ready.
    pub fn ready(&self) {
        self.status.ready();
        self.shared.reconcile.notify_one();
    }
}
