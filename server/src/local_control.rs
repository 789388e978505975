//! Fits the control plane's plain calls to the local cloud's interface.

use std::collections::HashSet;
use std::path::PathBuf;

use async_trait::async_trait;
use clouds_contract::{CloudError, Desired, ErrorKind, Observation, Route};
use clouds_local::control::{ControlPlane, Routes, Workload};
use domain::artifact::Digest;
use domain::event::NewLine;
use domain::id::{DeploymentId, ProjectId, TeamId};
use domain::secret::Secret;
use domain::workload::WorkloadSpec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use services::{LocalControl, ServiceError};
use store::LocalWorkload;

/// The control plane of this process.
pub struct InProcess(pub LocalControl);

fn failed(error: ServiceError) -> CloudError {
    match error {
        ServiceError::NotFound(_) => CloudError::new(ErrorKind::NotFound, "DELETED", "it was deleted meanwhile"),
        error => CloudError::internal("the control plane's database failed", error),
    }
}

/// A value from the JSON that the database keeps.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, CloudError> {
    serde_json::from_value(value).map_err(|error| CloudError::internal("the desired state cannot be read", error))
}

/// A value as the JSON that the database keeps.
pub fn write<T: Serialize>(value: &T) -> Result<Value, CloudError> {
    serde_json::to_value(value).map_err(|error| CloudError::internal("the desired state cannot be written", error))
}

/// Description of a release before anything was observed of it.
fn beginning(spec: &WorkloadSpec) -> &'static str {
    match spec {
        WorkloadSpec::Static(_) => "preparing its files",
        WorkloadSpec::Server(_) => "starting the server and waiting until it answers",
        WorkloadSpec::Functions(_) => "starting its functions",
    }
}

fn workload(row: LocalWorkload) -> Result<Workload, CloudError> {
    Ok(Workload { desired: read(row.desired)?, observed: read(row.observed)? })
}

impl InProcess {
    /// The desired state of a workload that is there.
    async fn desired(&self, deployment_id: DeploymentId) -> Result<Desired<WorkloadSpec>, CloudError> {
        let found = self.workload(deployment_id).await?.map(|workload| workload.desired);
        found.ok_or_else(|| CloudError::new(ErrorKind::NotFound, "DELETED", "it was deleted meanwhile"))
    }
}

#[async_trait]
impl ControlPlane for InProcess {
    async fn workloads(&self) -> Result<Vec<Workload>, CloudError> {
        let rows = self.0.workloads().await.map_err(failed)?;
        // One row that cannot be read must not take all sites down.
        let readable = rows.into_iter().filter_map(|row| {
            let id = row.deployment_id;
            workload(row).inspect_err(|error| tracing::error!(deployment.id = %id, %error, "a workload is left out")).ok()
        });
        Ok(readable.collect())
    }

    async fn workload(&self, deployment_id: DeploymentId) -> Result<Option<Workload>, CloudError> {
        self.0.workload(deployment_id).await.map_err(failed)?.map(workload).transpose()
    }

    async fn put_workload(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        let unobserved = Observation::Pending { detail: beginning(&desired.spec).to_owned() };
        let owner = (desired.team_id, desired.project_id, desired.deployment_id);
        self.0.put_workload(owner, &write(desired)?, &write(&unobserved)?).await.map_err(failed)
    }

    async fn delete_workload(&self, deployment_id: DeploymentId) -> Result<(), CloudError> {
        self.0.delete_workload(deployment_id).await.map_err(failed)
    }

    async fn routes(&self) -> Result<Routes, CloudError> {
        self.0.routes().await.map_err(failed)
    }

    async fn domains(&self) -> Result<HashSet<String>, CloudError> {
        self.0.domains().await.map_err(failed)
    }

    async fn put_route(&self, route: &Route) -> Result<(), CloudError> {
        self.0.put_route(route).await.map_err(failed)
    }

    async fn delete_route(&self, owner: (TeamId, ProjectId), label: &str) -> Result<(), CloudError> {
        self.0.delete_route(owner, label).await.map_err(failed)
    }

    async fn report(&self, deployment_id: DeploymentId, observed: &Observation) -> Result<(), CloudError> {
        self.0.report(deployment_id, &write(observed)?).await.map_err(failed)
    }

    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError> {
        self.0.artifact(digest).await.map_err(|error| {
            let kind = if error.is_retryable() { ErrorKind::Unavailable } else { ErrorKind::NotFound };
            CloudError::new(kind, error.code(), error.to_string()).caused_by(error)
        })
    }

    async fn variables(&self, deployment_id: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError> {
        let team = self.desired(deployment_id).await?.team_id;
        self.0.variables(team, deployment_id).await.map_err(failed)
    }

    async fn append_logs(&self, deployment_id: DeploymentId, lines: Vec<NewLine>) -> Result<(), CloudError> {
        let team = self.desired(deployment_id).await?.team_id;
        self.0.append_logs(team, deployment_id, &lines).await.map_err(failed)
    }
}
