//! The inventory of all that exists in a cloud because of us.

use serde::Serialize;

use crate::id::{DeploymentId, EnvironmentId, ProjectId, ResourceId, TeamId};
use crate::time::Timestamp;

/// Something that exists in a cloud because of a project. Deleting the project deletes every one of these first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Resource {
    /// Identity.
    pub id: ResourceId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project it exists for.
    pub project_id: ProjectId,
    /// The deployment it exists for, if one alone.
    pub deployment_id: Option<DeploymentId>,
    /// The environment it exists for, of a route.
    pub environment_id: Option<EnvironmentId>,
    /// The cloud it is in, such as `local`.
    pub cloud: String,
    /// What it is: `workload` or `route`.
    pub kind: String,
    /// Its name in that cloud.
    pub external_id: String,
    /// When it was asked for; written before the cloud is called.
    pub created_at: Timestamp,
}
