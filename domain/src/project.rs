//! Projects.

use serde::Serialize;

use crate::id::{ProjectId, TeamId};
use crate::name::ProjectName;
use crate::time::Timestamp;

/// Something a team deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Project {
    /// Identity.
    pub id: ProjectId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The unique name, first label of its host names.
    pub name: ProjectName,
    /// The Git repository it is deployed from when a deployment names no other source.
    pub repository: Option<String>,
    /// The branch, tag or commit used when a deployment names none.
    pub reference: Option<String>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Time at which its deletion was requested; it is removed once all its cloud resources are removed.
    pub deleting_at: Option<Timestamp>,
}

/// Summary of a project for lists; reading it costs less than half of reading the whole project.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct ProjectBrief {
    /// Identity.
    pub id: ProjectId,
    /// The unique name, first label of its host names.
    pub name: ProjectName,
    /// Creation time.
    pub created_at: Timestamp,
}

impl From<&Project> for ProjectBrief {
    fn from(project: &Project) -> Self {
        Self { id: project.id, name: project.name.clone(), created_at: project.created_at }
    }
}
