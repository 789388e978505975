//! The inventory of what exists in clouds because of us.

use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::resource::Resource;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

macro_rules! columns {
    () => {
        "id, team_id, project_id, deployment_id, environment_id, cloud, kind, external_id, created_at"
    };
}

impl Store {
    /// Lists a project's resources in clouds, oldest first.
    pub async fn resource_list(&self, team: TeamId, project: ProjectId) -> Result<Vec<Resource>> {
        let sql = concat!("SELECT ", columns!(), " FROM resources WHERE team_id = $1 AND project_id = $2 ORDER BY id");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(project).fetch_all(pool).await)?)
    }

    /// Lists a deployment's resources in clouds.
    pub async fn resource_list_of_deployment(&self, team: TeamId, deployment: DeploymentId) -> Result<Vec<Resource>> {
        let sql = concat!("SELECT ", columns!(), " FROM resources WHERE team_id = $1 AND deployment_id = $2 ORDER BY id");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(deployment).fetch_all(pool).await)?)
    }

    /// Lists the resources in clouds of an environment and its deployments, oldest first.
    pub async fn resource_list_of_environment(&self, team: TeamId, environment: EnvironmentId) -> Result<Vec<Resource>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM resources WHERE team_id = $1 AND (environment_id = $2
              OR deployment_id IN (SELECT d.id FROM deployments d WHERE d.team_id = $1 AND d.environment_id = $2)) ORDER BY id"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(environment).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Records something before it is made; recording it again changes nothing, unless it is another project's of the team by now.
    /// `Exists` when it is another team's.
    pub async fn resource_put(&mut self, resource: &Resource) -> Result<()> {
        let sql =
            "INSERT INTO resources (id, team_id, project_id, deployment_id, environment_id, cloud, kind, external_id, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (cloud, kind, external_id) DO UPDATE
            SET project_id = excluded.project_id, deployment_id = excluded.deployment_id, environment_id = excluded.environment_id
            WHERE resources.team_id = excluded.team_id";
        let done = tx!(self, |conn| sqlx::query(sql)
            .bind(resource.id)
            .bind(resource.team_id)
            .bind(resource.project_id)
            .bind(resource.deployment_id)
            .bind(resource.environment_id)
            .bind(&resource.cloud)
            .bind(resource.kind)
            .bind(&resource.external_id)
            .bind(resource.created_at)
            .execute(conn)
            .await
            .map(|d| d.rows_affected()))?;
        expect_one(done, StoreError::Exists)
    }

    /// Strikes something off, once the cloud no longer has it.
    pub async fn resource_delete(&mut self, resource: &Resource) -> Result<()> {
        let sql = "DELETE FROM resources WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(resource.team_id).bind(resource.id).execute(conn).await.map(drop))?;
        Ok(())
    }
}
