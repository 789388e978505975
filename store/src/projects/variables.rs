//! Environment variables. Values are sealed before they come here.

use domain::id::{EnvironmentId, TeamId, VariableId};
use domain::time::now;
use domain::variable::Variable;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

/// A variable with its sealed value.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedVariable {
    /// Identity of this value.
    pub id: VariableId,
    /// Its name.
    pub name: String,
    /// Its sealed value.
    pub sealed: Vec<u8>,
}

impl Store {
    /// The variables that are set now, by name.
    pub async fn variable_list(&self, team: TeamId, environment: EnvironmentId) -> Result<Vec<Variable>> {
        let sql = "SELECT id, team_id, environment_id, name, created_at FROM environment_variables
            WHERE team_id = $1 AND environment_id = $2 AND valid_to IS NULL ORDER BY name";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(environment).fetch_all(pool).await)?)
    }

    /// The variables with their sealed values as they were at a configuration version.
    pub async fn variable_values(&self, team: TeamId, environment: EnvironmentId, version: i64) -> Result<Vec<SealedVariable>> {
        let sql = "SELECT id, name, sealed FROM environment_variables WHERE team_id = $1 AND environment_id = $2
            AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3) ORDER BY name";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(environment).bind(version).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Ends the present value of a variable with this version; `false` when it has none.
    pub async fn variable_end(&mut self, team: TeamId, environment: EnvironmentId, name: &str, version: i64) -> Result<bool> {
        let sql = "UPDATE environment_variables SET valid_to = $4
            WHERE team_id = $1 AND environment_id = $2 AND name = $3 AND valid_to IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(environment).bind(name).bind(version))?;
        Ok(done == 1)
    }

    /// The variables that are set now with their sealed values, as this transaction sees them.
    pub async fn variable_values_now(&mut self, team: TeamId, environment: EnvironmentId) -> Result<Vec<SealedVariable>> {
        let sql = "SELECT id, name, sealed FROM environment_variables
            WHERE team_id = $1 AND environment_id = $2 AND valid_to IS NULL ORDER BY name";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(environment).fetch_all(conn).await)?)
    }

    /// Begins a value of a variable with this version. `Changed` when the team has no such environment.
    pub async fn variable_insert(
        &mut self,
        team: TeamId,
        environment: EnvironmentId,
        variable: &SealedVariable,
        version: i64,
    ) -> Result<()> {
        let sql = "INSERT INTO environment_variables (id, team_id, environment_id, name, sealed, valid_from, created_at)
            SELECT $1, team_id, id, $4, $5, $6, $7 FROM environments WHERE team_id = $2 AND id = $3";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(variable.id)
                .bind(team)
                .bind(environment)
                .bind(&variable.name)
                .bind(&variable.sealed)
                .bind(version)
                .bind(now())
        )?;
        expect_one(done, StoreError::Changed)
    }

    /// Returns the present number of the environment's variables.
    pub async fn variable_count(&mut self, team: TeamId, environment: EnvironmentId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM environment_variables WHERE team_id = $1 AND environment_id = $2 AND valid_to IS NULL";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(environment).fetch_one(conn).await)?)
    }
}
