//! The desired state of the local cloud and what its edge observed. Shapes are the edge's own and opaque here.

use std::collections::HashSet;

use domain::artifact::Digest;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::time::now;
use serde_json::Value;
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

/// A desired workload and what was observed of it, as JSON objects.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LocalWorkload {
    /// The deployment it runs.
    pub deployment_id: DeploymentId,
    /// Desired state.
    #[sqlx(json)]
    pub desired: Value,
    /// Last observation.
    #[sqlx(json)]
    pub observed: Value,
}

impl Store {
    /// Every workload of all teams.
    pub async fn local_workload_list(&self) -> Result<Vec<LocalWorkload>> {
        let sql = "SELECT deployment_id, desired, observed FROM local_workloads ORDER BY deployment_id";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }

    /// One workload.
    pub async fn local_workload_get(&self, deployment: DeploymentId) -> Result<Option<LocalWorkload>> {
        let sql = "SELECT deployment_id, desired, observed FROM local_workloads WHERE deployment_id = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(deployment).fetch_optional(pool).await)?)
    }

    /// The artifacts of every workload of all teams.
    pub async fn local_workload_artifacts(&self) -> Result<HashSet<Digest>> {
        let sql = "SELECT DISTINCT d.artifact_digest FROM local_workloads w JOIN deployments d ON d.id = w.deployment_id
            WHERE d.artifact_digest IS NOT NULL";
        let digests: Vec<Digest> = db!(self, |pool| sqlx::query_scalar(sql).fetch_all(pool).await)?;
        Ok(digests.into_iter().collect())
    }

    /// Every route of all teams: host label, or domain of a team's own, and deployment.
    pub async fn local_route_list(&self) -> Result<Vec<(String, DeploymentId)>> {
        let sql = "SELECT label, deployment_id FROM local_routes UNION ALL
            SELECT d.name, r.deployment_id FROM domains d JOIN local_routes r ON r.environment_id = d.environment_id
            WHERE d.verified_at IS NOT NULL";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Records a workload. An equal wish changes nothing; another one starts unobserved. `false` when the inventory does not list the
    /// workload: it was deleted meanwhile, and must not come back.
    pub async fn local_workload_put(
        &mut self,
        (team, project, deployment): (TeamId, ProjectId, DeploymentId),
        desired: &Value,
        observed: &Value,
    ) -> Result<bool> {
        let listed = "SELECT EXISTS (SELECT 1 FROM resources WHERE team_id = $1 AND kind = 'workload' AND deployment_id = $2)";
        if !tx!(self, |conn| sqlx::query_scalar::<_, bool>(listed).bind(team).bind(deployment).fetch_one(conn).await)? {
            return Ok(false);
        }
        let present = "SELECT desired FROM local_workloads WHERE deployment_id = $1";
        let known: Option<Json<Value>> =
            tx!(self, |conn| sqlx::query_scalar(present).bind(deployment).fetch_optional(conn).await)?;
        if known.is_some_and(|known| known.0 == *desired) {
            return Ok(true);
        }
        let sql = "INSERT INTO local_workloads (deployment_id, team_id, project_id, desired, observed, created_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (deployment_id) DO UPDATE SET desired = excluded.desired, observed = excluded.observed";
        tx!(self, |conn| sqlx::query(sql)
            .bind(deployment)
            .bind(team)
            .bind(project)
            .bind(Json(desired))
            .bind(Json(observed))
            .bind(now())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(true)
    }

    /// Records what was observed of a workload.
    pub async fn local_workload_observe(&mut self, deployment: DeploymentId, observed: &Value) -> Result<()> {
        let sql = "UPDATE local_workloads SET observed = $2 WHERE deployment_id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(deployment).bind(Json(observed)).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Removes a workload.
    pub async fn local_workload_delete(&mut self, deployment: DeploymentId) -> Result<()> {
        let sql = "DELETE FROM local_workloads WHERE deployment_id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(deployment).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Records which deployment a label shows, and whose it is. `Exists` when the label is another team's.
    pub async fn local_route_put(
        &mut self,
        label: &str,
        (team, project, environment): (TeamId, ProjectId, EnvironmentId),
        deployment: DeploymentId,
    ) -> Result<()> {
        let sql = "INSERT INTO local_routes (label, team_id, project_id, environment_id, deployment_id, changed_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (label) DO UPDATE SET project_id = excluded.project_id, environment_id = excluded.environment_id,
                deployment_id = excluded.deployment_id, changed_at = excluded.changed_at
            WHERE local_routes.team_id = excluded.team_id";
        let done =
            changed!(self, sqlx::query(sql).bind(label).bind(team).bind(project).bind(environment).bind(deployment).bind(now()))?;
        expect_one(done, StoreError::Exists)
    }

    /// Removes a route of a project. One that another has by now stays.
    pub async fn local_route_delete(&mut self, (team, project): (TeamId, ProjectId), label: &str) -> Result<()> {
        let sql = "DELETE FROM local_routes WHERE team_id = $1 AND project_id = $2 AND label = $3";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(project).bind(label).execute(conn).await.map(drop))?;
        Ok(())
    }
}
