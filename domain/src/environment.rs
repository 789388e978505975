//! Environments of a project.

use serde::Serialize;

use crate::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use crate::name::{EnvironmentName, ProjectName};
use crate::time::Timestamp;

/// A place a project is deployed to, with its own variables and its own live deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Environment {
    /// Identity.
    pub id: EnvironmentId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// `production`, or a name such as `preview`.
    pub name: EnvironmentName,
    /// The deployment its host name shows.
    pub live_deployment_id: Option<DeploymentId>,
    /// Counts changes to its variables; a deployment pins the number it was made with.
    pub config_version: i64,
    /// Requires an approval by another user of each deployment.
    pub protected: bool,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time at which its deletion was requested; nothing is deployed to it from then on.
    pub deleting_at: Option<Timestamp>,
}

/// The host label of an environment: `shop` for production, `shop--preview` otherwise.
pub fn environment_label(project: &ProjectName, environment: &EnvironmentName) -> String {
    if environment.is_production() { project.to_string() } else { format!("{project}--{environment}") }
}

/// The host label of one deployment, which shows it for as long as it exists: `shop--3f2a9c0d1e5b`.
pub fn deployment_label(project: &ProjectName, deployment: DeploymentId) -> String {
    format!("{project}--{}", deployment.short())
}
