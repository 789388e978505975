//! Interface of the local cloud to the control plane: storage of the desired state, artifacts, variables, and a receiver of
//! observations.

pub mod memory;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::{CloudError, Desired, Observation, Route};
use domain::artifact::Digest;
use domain::event::NewLine;
use domain::id::{DeploymentId, ProjectId, TeamId};
use domain::secret::Secret;
use domain::workload::WorkloadSpec;
use http::uri::Authority;

/// A desired workload and what was last observed of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Desired state.
    pub desired: Desired<WorkloadSpec>,
    /// Last state that the edge reported.
    pub observed: Observation,
}

/// Deployment that each host label serves, environments' labels only.
pub type Routes = HashMap<String, DeploymentId>;

/// Location of a workload that runs on other machines only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The deployment's own host label.
    pub label: String,
    /// The edges on which it answers, such as `10.0.0.2:8081`.
    pub edges: Vec<Authority>,
}

/// The control plane as the local cloud sees it. The database is behind it; every call can be repeated.
#[async_trait]
pub trait ControlPlane: Send + Sync + 'static {
    /// Every workload that shall exist on this machine, with as many replicas as it shall have here.
    async fn workloads(&self) -> Result<Vec<Workload>, CloudError>;

    /// One workload.
    async fn workload(&self, deployment_id: DeploymentId) -> Result<Option<Workload>, CloudError>;

    /// Records that a workload shall exist. An equal wish changes nothing; what was observed is kept then.
    async fn put_workload(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError>;

    /// Records that a workload shall not exist.
    async fn delete_workload(&self, deployment_id: DeploymentId) -> Result<(), CloudError>;

    /// Every route.
    async fn routes(&self) -> Result<Routes, CloudError>;

    /// The domains of teams' own, in small letters, whether they show something or not: nobody else answers for them.
    async fn domains(&self) -> Result<HashSet<String>, CloudError> {
        Ok(HashSet::new())
    }

    /// Records which deployment a label shows.
    async fn put_route(&self, route: &Route) -> Result<(), CloudError>;

    /// Records that a project's label shows nothing.
    async fn delete_route(&self, owner: (TeamId, ProjectId), label: &str) -> Result<(), CloudError>;

    /// Returns the deployments that answer on other machines.
    async fn elsewhere(&self) -> Result<HashMap<DeploymentId, Elsewhere>, CloudError> {
        Ok(HashMap::new())
    }

    /// Records what the routes of this machine show now, for who waits for a switch.
    async fn report_shown(&self, shown: &Routes) -> Result<(), CloudError> {
        let _ = shown;
        Ok(())
    }

    /// Records that nothing of a deployment is left on this machine.
    async fn report_gone(&self, deployment_id: DeploymentId) -> Result<(), CloudError> {
        let _ = deployment_id;
        Ok(())
    }

    /// Records what the edge observed.
    async fn report(&self, deployment_id: DeploymentId, observed: &Observation) -> Result<(), CloudError>;

    /// A directory on this machine that holds the artifact's files, read-only by convention.
    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError>;

    /// The variables of the configuration version that the deployment was made with. They are secret; what its workload has of its own
    /// is not.
    async fn variables(&self, deployment_id: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError>;

    /// Stores what a workload printed.
    async fn append_logs(&self, deployment_id: DeploymentId, lines: Vec<NewLine>) -> Result<(), CloudError>;
}

/// A control plane that can be shared.
pub type SharedControlPlane = Arc<dyn ControlPlane>;
