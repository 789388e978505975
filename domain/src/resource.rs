//! The inventory of all that exists in a cloud because of us.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::id::{DeploymentId, EnvironmentId, ProjectId, ResourceId, TeamId};
use crate::time::Timestamp;

/// Kind of thing in a cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
pub enum ResourceKind {
    /// Workload that runs or serves a deployment.
    Workload,
    /// The host label of an environment.
    Route,
}

impl ResourceKind {
    /// The name in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Route => "route",
        }
    }
}

impl Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
    /// Kind of thing.
    pub kind: ResourceKind,
    /// Its name in that cloud.
    pub external_id: String,
    /// Time at which it was requested; recorded before the cloud is called.
    pub created_at: Timestamp,
}
