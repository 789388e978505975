//! Environments.

use domain::environment::Environment;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::time::now;

use crate::db::{Store, Tx};
use crate::error::Result;

macro_rules! columns {
    () => {
        "id, team_id, project_id, name, live_deployment_id, config_version, protected, created_at, deleting_at"
    };
}

impl Store {
    /// An environment of the team.
    pub async fn environment_get(&self, team: TeamId, id: EnvironmentId) -> Result<Option<Environment>> {
        let sql = concat!("SELECT ", columns!(), " FROM environments WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// The environment of a project that has this name.
    pub async fn environment_by_name(&self, team: TeamId, project: ProjectId, name: &str) -> Result<Option<Environment>> {
        let sql = concat!("SELECT ", columns!(), " FROM environments WHERE team_id = $1 AND project_id = $2 AND name = $3");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(project).bind(name).fetch_optional(pool).await)?)
    }

    /// The environments of some projects of the team, oldest first.
    pub async fn environment_list(&self, team: TeamId, projects: &[ProjectId]) -> Result<Vec<Environment>> {
        // PostgreSQL takes no empty list.
        if projects.is_empty() {
            return Ok(Vec::new());
        }
        Ok(db!(self, |pool| {
            let mut sql = sqlx::QueryBuilder::new(concat!("SELECT ", columns!(), " FROM environments WHERE team_id = "));
            sql.push_bind(team).push(" AND project_id IN (");
            let mut list = sql.separated(", ");
            for id in projects {
                list.push_bind(*id);
            }
            list.push_unseparated(") ORDER BY id");
            sql.build_query_as().fetch_all(pool).await
        })?)
    }
}

impl Tx {
    /// Adds an environment. `Exists` when the project has one of that name.
    pub async fn environment_insert(&mut self, environment: &Environment) -> Result<()> {
        let sql = "INSERT INTO environments (id, team_id, project_id, name, config_version, protected, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(environment.id)
            .bind(environment.team_id)
            .bind(environment.project_id)
            .bind(&environment.name)
            .bind(environment.config_version)
            .bind(environment.protected)
            .bind(environment.created_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The environment of a project that has this name, as this transaction sees it.
    pub async fn environment_find(&mut self, team: TeamId, project: ProjectId, name: &str) -> Result<Option<Environment>> {
        let sql = concat!("SELECT ", columns!(), " FROM environments WHERE team_id = $1 AND project_id = $2 AND name = $3");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(project).bind(name).fetch_optional(conn).await)?)
    }

    /// Counts a change to the environment's variables and returns the new version.
    pub async fn environment_next_config(&mut self, team: TeamId, id: EnvironmentId) -> Result<i64> {
        let sql =
            "UPDATE environments SET config_version = config_version + 1 WHERE team_id = $1 AND id = $2 RETURNING config_version";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(id).fetch_one(conn).await)?)
    }

    /// Records which deployment the environment shows.
    pub async fn environment_set_live(&mut self, team: TeamId, id: EnvironmentId, deployment: DeploymentId) -> Result<()> {
        let sql = "UPDATE environments SET live_deployment_id = $3 WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).bind(deployment).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// An environment of the team, as this transaction sees it.
    pub async fn environment_find_by_id(&mut self, team: TeamId, id: EnvironmentId) -> Result<Option<Environment>> {
        let sql = concat!("SELECT ", columns!(), " FROM environments WHERE team_id = $1 AND id = $2");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }

    /// Marks an environment as being deleted; `false` when it is already, or is not there.
    pub async fn environment_mark_deleting(&mut self, team: TeamId, id: EnvironmentId) -> Result<bool> {
        let sql = "UPDATE environments SET deleting_at = $3 WHERE team_id = $1 AND id = $2 AND deleting_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(now()))?;
        Ok(done == 1)
    }

    /// Deletes an environment and all rows that belong to it.
    pub async fn environment_delete(&mut self, team: TeamId, id: EnvironmentId) -> Result<()> {
        let sql = "DELETE FROM environments WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Protects an environment, or no longer; `false` if not found in the team.
    pub async fn environment_protect(&mut self, team: TeamId, id: EnvironmentId, protected: bool) -> Result<bool> {
        let sql = "UPDATE environments SET protected = $3 WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(protected))?;
        Ok(done == 1)
    }
}
