//! Interface of the control plane for the local cloud, in plain calls. The binary adapts these to the local cloud's own
//! interface: no concrete cloud is named here.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use artifacts::{ArtifactError, Artifacts};
use clouds_contract::Route;
use domain::artifact::Digest;
use domain::environment::environment_label;
use domain::event::NewLine;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::secret::Secret;
use jobs::{EventBus, Topic};
use serde_json::Value;
use services_core::{Result, Sealer, ServiceError};
use store::{LocalWorkload, Store};

use crate::variables::open_variables;

/// The control plane as the local cloud's edge sees it. The edge works for all teams. Cheap to clone.
#[derive(Clone)]
pub struct LocalControl {
    /// The database.
    pub store: Store,
    /// Opens variables.
    pub sealer: Arc<Sealer>,
    /// Tells subscribers of new log lines.
    pub bus: EventBus,
    /// Store of artifacts.
    pub artifacts: Artifacts,
}

impl LocalControl {
    /// Every desired workload.
    pub async fn workloads(&self) -> Result<Vec<LocalWorkload>> {
        Ok(self.store.local_workload_list().await?)
    }

    /// One desired workload.
    pub async fn workload(&self, deployment: DeploymentId) -> Result<Option<LocalWorkload>> {
        Ok(self.store.local_workload_get(deployment).await?)
    }

    /// Records a workload; refused once the inventory no longer lists it, because then it was deleted meanwhile.
    pub async fn put_workload(
        &self,
        (team, project, deployment): (TeamId, ProjectId, DeploymentId),
        desired: &Value,
        unobserved: &Value,
    ) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if !tx.local_workload_put((team, project, deployment), desired, unobserved).await? {
            return Err(ServiceError::NotFound("deployment"));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Records that a workload shall not exist.
    pub async fn delete_workload(&self, deployment: DeploymentId) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.local_workload_delete(deployment).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Returns the deployment that each host label serves.
    pub async fn routes(&self) -> Result<HashMap<String, DeploymentId>> {
        Ok(self.store.local_route_list().await?.into_iter().collect())
    }

    /// The domains of teams' own that are served.
    pub async fn domains(&self) -> Result<HashSet<String>> {
        Ok(self.store.domain_names_served().await?.into_iter().collect())
    }

    /// Records which deployment a label shows. Refused when the label is not, or no longer, that of its environment: a project that is
    /// renamed takes its routes along, and leaves the old name to others.
    pub async fn put_route(&self, route: &Route) -> Result<()> {
        let owner: (TeamId, ProjectId, EnvironmentId) = (route.team_id, route.project_id, route.environment_id);
        let mut tx = self.store.begin().await?;
        let project = tx.project_lock(route.team_id, route.project_id).await?.ok_or(ServiceError::NotFound("project"))?;
        let environment = tx.environment_find_by_id(route.team_id, route.environment_id).await?;
        let environment = environment.ok_or(ServiceError::NotFound("environment"))?;
        if environment_label(&project.name, &environment.name) != route.label {
            return Err(ServiceError::Unavailable(format!("`{}` is not the name of its environment any more", route.label)));
        }
        tx.local_route_put(&route.label, owner, route.deployment_id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Records that a project's label shows nothing.
    pub async fn delete_route(&self, (team, project): (TeamId, ProjectId), label: &str) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.local_route_delete((team, project), label).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Records what the edge observed.
    pub async fn report(&self, deployment: DeploymentId, observed: &Value) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.local_workload_observe(deployment, observed).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The directory of an artifact on this machine.
    pub async fn artifact(&self, digest: &Digest) -> Result<PathBuf, ArtifactError> {
        self.artifacts.fetch(digest).await
    }

    /// The variables of a deployment's pinned configuration, which are secret. Those of its project file and its plan are in its workload.
    pub async fn variables(&self, team: TeamId, deployment: DeploymentId) -> Result<Vec<(String, Secret)>> {
        let deployment = self.store.deployment_get(team, deployment).await?.ok_or(ServiceError::NotFound("deployment"))?;
        open_variables(&self.store, &self.sealer, &deployment).await
    }

    /// Stores what a workload printed.
    pub async fn append_logs(&self, team: TeamId, deployment: DeploymentId, lines: &[NewLine]) -> Result<()> {
        let mut tx = self.store.begin().await?;
        if !lines.is_empty() && tx.log_insert(team, deployment, lines).await?.is_some() {
            tx.commit().await?;
            self.bus.publish(Topic::DeploymentLogs(deployment));
        }
        Ok(())
    }
}
