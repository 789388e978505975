//! Content of a notification, as of the transaction in which it is written.

use domain::approval::ApprovalState;
use domain::deployment::{Cause, Failure};
use domain::id::{DeploymentId, ProjectId, ScheduleId, TeamId, UserId};

use crate::db::Tx;
use crate::error::Result;

/// Content of a notification about a deployment.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ToldDeployment {
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// Counts the deployments of the project.
    pub number: i64,
    /// Cause of the deployment.
    pub trigger: Cause,
    /// The commit it is built from, once known.
    pub commit_sha: Option<String>,
    /// Reason for which it failed or was cancelled.
    #[sqlx(json(nullable))]
    pub failure: Option<Failure>,
    /// Number of its events.
    pub event_count: i64,
    /// State of its approval, if it needs one.
    pub approval: Option<ApprovalState>,
    /// User who requested it.
    pub created_by: Option<UserId>,
    /// Their name.
    pub created_by_name: Option<String>,
}

impl Tx {
    /// Returns the content of a notification about a deployment of the team.
    pub async fn deployment_told(&mut self, team: TeamId, id: DeploymentId) -> Result<Option<ToldDeployment>> {
        let sql = "SELECT p.name AS project, e.name AS environment, d.number, d.trigger, d.commit_sha, d.failure, d.event_count,
                a.state AS approval, d.created_by, u.name AS created_by_name
            FROM deployments d JOIN projects p ON p.id = d.project_id JOIN environments e ON e.id = d.environment_id
                LEFT JOIN approvals a ON a.deployment_id = d.id LEFT JOIN users u ON u.id = d.created_by
            WHERE d.team_id = $1 AND d.id = $2";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }

    /// The project of a schedule of the team's: its id and name.
    pub async fn schedule_project(&mut self, team: TeamId, id: ScheduleId) -> Result<Option<(ProjectId, String)>> {
        let sql =
            "SELECT p.id, p.name FROM schedules s JOIN projects p ON p.id = s.project_id WHERE s.team_id = $1 AND s.id = $2";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }
}
