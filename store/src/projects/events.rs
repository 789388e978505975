//! Deployment events: numbered without gaps, per deployment and per project.

use domain::deployment::{Deployment, DeploymentStatus};
use domain::event::DeploymentEvent;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::time::now;

use crate::db::{Store, Tx};
use crate::error::Result;

macro_rules! columns {
    () => {
        "deployment_id, number, project_id, environment_id, project_number, status, message, at"
    };
}

/// Deployment that an event belongs to.
#[derive(Debug, Clone, Copy)]
pub struct EventKey {
    /// The team.
    pub team_id: TeamId,
    /// The project.
    pub project_id: ProjectId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The deployment.
    pub deployment_id: DeploymentId,
}

impl From<&Deployment> for EventKey {
    fn from(deployment: &Deployment) -> Self {
        Self {
            team_id: deployment.team_id,
            project_id: deployment.project_id,
            environment_id: deployment.environment_id,
            deployment_id: deployment.id,
        }
    }
}

impl Store {
    /// Up to `limit` events of a deployment with numbers above `after`, in order.
    pub async fn event_list(
        &self,
        team: TeamId,
        deployment: DeploymentId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<DeploymentEvent>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM deployment_events WHERE team_id = $1 AND deployment_id = $2 AND number > $3 ORDER BY number LIMIT $4 + 0"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(deployment).bind(after).bind(limit).fetch_all(pool).await)?)
    }

    /// Up to `limit` events of a project's deployments with project numbers above `after`, in order.
    pub async fn project_event_list(
        &self,
        team: TeamId,
        project: ProjectId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<DeploymentEvent>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM deployment_events WHERE team_id = $1 AND project_id = $2 AND project_number > $3 ORDER BY project_number LIMIT $4 + 0"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(project).bind(after).bind(limit).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Writes the next event of a deployment. The caller holds the project's lock (`project_lock`).
    pub async fn event_insert(&mut self, key: EventKey, status: DeploymentStatus, message: &str) -> Result<()> {
        let count_project =
            "UPDATE projects SET event_count = event_count + 1 WHERE team_id = $1 AND id = $2 RETURNING event_count";
        let project_number: i64 =
            tx!(self, |conn| sqlx::query_scalar(count_project).bind(key.team_id).bind(key.project_id).fetch_one(conn).await)?;
        let count = "UPDATE deployments SET event_count = event_count + 1 WHERE team_id = $1 AND id = $2 RETURNING event_count";
        let number: i64 =
            tx!(self, |conn| sqlx::query_scalar(count).bind(key.team_id).bind(key.deployment_id).fetch_one(conn).await)?;
        let sql = "INSERT INTO deployment_events
                (deployment_id, number, team_id, project_id, environment_id, project_number, status, message, at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(key.deployment_id)
            .bind(number)
            .bind(key.team_id)
            .bind(key.project_id)
            .bind(key.environment_id)
            .bind(project_number)
            .bind(status)
            .bind(message)
            .bind(now())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }
}
