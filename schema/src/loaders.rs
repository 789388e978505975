//! Batches look-ups within a request, so that a list of N nodes costs one query for a related node and not N. Each is made for one
//! actor: nothing is shared between requests.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use domain::access::Actor;
use domain::approval::Approval;
use domain::cloud::PlaceDetails;
use domain::deployment::Deployment;
use domain::environment::Environment;
use domain::id::{DeploymentId, EnvironmentId, ProjectId};
use domain::project::Project;
use services::{ServiceError, Services};

type Loaded<K, V> = Result<HashMap<K, V>, Arc<ServiceError>>;

/// Deployments by id.
pub struct Deployments(Services, Actor);
/// Approvals by their deployment's id.
pub struct Approvals(Services, Actor);
/// Projects by id.
pub struct Projects(Services, Actor);
/// Places in vendors' clouds, by the id of a deployment or an environment.
pub struct Places(Services, Actor);
/// Environments by their project's id.
pub struct Environments(Services, Actor);

pub fn deployments(services: &Services, actor: &Actor) -> DataLoader<Deployments> {
    DataLoader::new(Deployments(services.clone(), actor.clone()), tokio::spawn)
}

pub fn approvals(services: &Services, actor: &Actor) -> DataLoader<Approvals> {
    DataLoader::new(Approvals(services.clone(), actor.clone()), tokio::spawn)
}

pub fn projects(services: &Services, actor: &Actor) -> DataLoader<Projects> {
    DataLoader::new(Projects(services.clone(), actor.clone()), tokio::spawn)
}

pub fn places(services: &Services, actor: &Actor) -> DataLoader<Places> {
    DataLoader::new(Places(services.clone(), actor.clone()), tokio::spawn)
}

pub fn environments(services: &Services, actor: &Actor) -> DataLoader<Environments> {
    DataLoader::new(Environments(services.clone(), actor.clone()), tokio::spawn)
}

impl Loader<DeploymentId> for Deployments {
    type Value = Deployment;
    type Error = Arc<ServiceError>;
    async fn load(&self, ids: &[DeploymentId]) -> Loaded<DeploymentId, Deployment> {
        let found = self.0.deployments().get_many(&self.1, ids).await?;
        Ok(found.into_iter().map(|deployment| (deployment.id, deployment)).collect())
    }
}

impl Loader<DeploymentId> for Approvals {
    type Value = Approval;
    type Error = Arc<ServiceError>;
    async fn load(&self, ids: &[DeploymentId]) -> Loaded<DeploymentId, Approval> {
        let found = self.0.approvals().of_deployments(&self.1, ids).await?;
        Ok(found.into_iter().map(|approval| (approval.deployment_id, approval)).collect())
    }
}

impl Loader<DeploymentId> for Places {
    type Value = PlaceDetails;
    type Error = Arc<ServiceError>;
    async fn load(&self, ids: &[DeploymentId]) -> Loaded<DeploymentId, PlaceDetails> {
        Ok(self.0.placements().of_deployments(self.1.team_id, ids).await?)
    }
}

impl Loader<EnvironmentId> for Places {
    type Value = PlaceDetails;
    type Error = Arc<ServiceError>;
    async fn load(&self, ids: &[EnvironmentId]) -> Loaded<EnvironmentId, PlaceDetails> {
        Ok(self.0.placements().of_environments(self.1.team_id, ids).await?)
    }
}

impl Loader<ProjectId> for Projects {
    type Value = Project;
    type Error = Arc<ServiceError>;
    async fn load(&self, ids: &[ProjectId]) -> Loaded<ProjectId, Project> {
        let found = self.0.projects().get_many(&self.1, ids).await?;
        Ok(found.into_iter().map(|project| (project.id, project)).collect())
    }
}

impl Loader<ProjectId> for Environments {
    type Value = Vec<Environment>;
    type Error = Arc<ServiceError>;
    async fn load(&self, projects: &[ProjectId]) -> Loaded<ProjectId, Vec<Environment>> {
        let mut by_project: HashMap<ProjectId, Vec<Environment>> = HashMap::new();
        for environment in self.0.environments().list(&self.1, projects).await? {
            by_project.entry(environment.project_id).or_default().push(environment);
        }
        Ok(by_project)
    }
}
