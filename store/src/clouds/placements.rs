//! Environments' places in accounts, and the deployments in them.

use domain::cloud::{DeploymentTarget, PlaceDetails, Placement, PlacementState, TargetState};
use domain::id::{CloudAccountId, DeploymentId, EnvironmentId, PlacementId, ProjectId, TeamId};
use domain::time::now;
use domain::workload::WorkloadKind;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

macro_rules! columns {
    () => {
        "id, team_id, project_id, environment_id, account_id, cloud, region, label, url, shown_deployment_id, shown_kind, state, created_at"
    };
}

macro_rules! target_columns {
    () => {
        "deployment_id, placement_id, team_id, state, detail, url, changed_at"
    };
}

/// Condition on a placement: no deployment is on its way there.
macro_rules! nothing_comes {
    () => {
        "NOT EXISTS (SELECT 1 FROM deployment_targets t JOIN deployments d ON d.id = t.deployment_id
            WHERE t.placement_id = placements.id AND t.team_id = placements.team_id AND d.status IN ('queued', 'building', 'releasing'))"
    };
}

impl Store {
    /// A placement of the team.
    pub async fn placement_get(&self, team: TeamId, id: PlacementId) -> Result<Option<Placement>> {
        let sql = concat!("SELECT ", columns!(), " FROM placements WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// The placements of an environment, oldest first.
    pub async fn placement_list(&self, team: TeamId, environment: EnvironmentId) -> Result<Vec<Placement>> {
        let sql = concat!("SELECT ", columns!(), " FROM placements WHERE team_id = $1 AND environment_id = $2 ORDER BY id");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(environment).fetch_all(pool).await)?)
    }

    /// The placements of a project in which something may be, oldest first.
    pub async fn placement_list_of_project(&self, team: TeamId, project: ProjectId) -> Result<Vec<Placement>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM placements WHERE team_id = $1 AND project_id = $2 AND state <> 'gone' ORDER BY id"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(project).fetch_all(pool).await)?)
    }

    /// The placements in an account in which something may be, oldest first.
    pub async fn placement_list_of_account(&self, team: TeamId, account: CloudAccountId) -> Result<Vec<Placement>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM placements WHERE team_id = $1 AND account_id = $2 AND state <> 'gone' ORDER BY id"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(account).fetch_all(pool).await)?)
    }

    /// The places of environments that their deployments go to, in no particular order.
    pub async fn place_list_of_environments(&self, team: TeamId, ids: &[EnvironmentId]) -> Result<Vec<PlaceDetails>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(db!(self, |pool| {
            let mut sql = sqlx::QueryBuilder::new(
                "SELECT p.environment_id, p.shown_deployment_id AS deployment_id, p.cloud, a.name AS account, p.region, p.url,
                    CAST(NULL AS TEXT) AS state, CAST(NULL AS TEXT) AS detail, a.endpoint
                FROM placements p JOIN cloud_accounts a ON a.id = p.account_id WHERE p.state = 'used' AND p.team_id = ",
            );
            sql.push_bind(team).push(" AND p.environment_id IN (");
            let mut list = sql.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            list.push_unseparated(")");
            sql.build_query_as().fetch_all(pool).await
        })?)
    }

    /// The places of deployments, in no particular order.
    pub async fn place_list_of_deployments(&self, team: TeamId, ids: &[DeploymentId]) -> Result<Vec<PlaceDetails>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(db!(self, |pool| {
            let mut sql = sqlx::QueryBuilder::new(
                "SELECT p.environment_id, t.deployment_id, p.cloud, a.name AS account, p.region, t.url, t.state, t.detail, a.endpoint
                FROM deployment_targets t JOIN placements p ON p.id = t.placement_id JOIN cloud_accounts a ON a.id = p.account_id
                WHERE t.team_id = ",
            );
            sql.push_bind(team).push(" AND t.deployment_id IN (");
            let mut list = sql.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            list.push_unseparated(")");
            sql.build_query_as().fetch_all(pool).await
        })?)
    }

    /// Placements of all teams that are to go.
    pub async fn placement_list_going(&self) -> Result<Vec<Placement>> {
        let sql = concat!("SELECT ", columns!(), " FROM placements WHERE state = $1 ORDER BY id LIMIT 100");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(PlacementState::Going).fetch_all(pool).await)?)
    }

    /// The place of a deployment; `None` for one's own machines.
    pub async fn deployment_target_get(&self, team: TeamId, deployment: DeploymentId) -> Result<Option<DeploymentTarget>> {
        let sql = concat!("SELECT ", target_columns!(), " FROM deployment_targets WHERE team_id = $1 AND deployment_id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(deployment).fetch_optional(pool).await)?)
    }

    /// The deployments in a placement, oldest first.
    pub async fn deployment_target_list(&self, team: TeamId, placement: PlacementId) -> Result<Vec<DeploymentTarget>> {
        let sql = concat!(
            "SELECT ",
            target_columns!(),
            " FROM deployment_targets WHERE team_id = $1 AND placement_id = $2 ORDER BY deployment_id"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(placement).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// An environment's place in an account and region. It is written if there is none; one that was to go is used again.
    pub async fn placement_open(&mut self, wanted: &Placement) -> Result<Placement> {
        let sql = concat!(
            "INSERT INTO placements (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, NULL, NULL, $9, $10)
             ON CONFLICT (environment_id, account_id, region) DO UPDATE SET state = excluded.state
             WHERE placements.team_id = excluded.team_id RETURNING ",
            columns!()
        );
        let found = tx!(self, |conn| sqlx::query_as(sql)
            .bind(wanted.id)
            .bind(wanted.team_id)
            .bind(wanted.project_id)
            .bind(wanted.environment_id)
            .bind(wanted.account_id)
            .bind(&wanted.cloud)
            .bind(&wanted.region)
            .bind(&wanted.label)
            .bind(PlacementState::Used)
            .bind(wanted.created_at)
            .fetch_optional(conn)
            .await)?;
        found.ok_or(StoreError::Exists)
    }

    /// Records what a placement shows, and at which address.
    pub async fn placement_show(
        &mut self,
        team: TeamId,
        id: PlacementId,
        shown: (DeploymentId, WorkloadKind),
        url: &str,
    ) -> Result<()> {
        let sql = "UPDATE placements SET shown_deployment_id = $3, shown_kind = $4, url = $5 WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(shown.0).bind(shown.1).bind(url))?;
        expect_one(done, StoreError::Changed)
    }

    /// Says that everything in a placement is to go; `false` when that is said already, or there is none such.
    pub async fn placement_leave(&mut self, team: TeamId, id: PlacementId) -> Result<bool> {
        let sql = "UPDATE placements SET state = $3 WHERE team_id = $1 AND id = $2 AND state = 'used'";
        Ok(changed!(self, sqlx::query(sql).bind(team).bind(id).bind(PlacementState::Going))? == 1)
    }

    /// Says that everything in a placement is to go in which nothing is shown or on its way; `false` when something is, or it is said
    /// already.
    pub async fn placement_leave_unused(&mut self, team: TeamId, id: PlacementId) -> Result<bool> {
        // Whoever sends a deployment there at this moment has the row locked: the second statement sees what they wrote.
        let lock = "UPDATE placements SET state = state WHERE team_id = $1 AND id = $2";
        changed!(self, sqlx::query(lock).bind(team).bind(id))?;
        let sql = concat!(
            "UPDATE placements SET state = $3 WHERE team_id = $1 AND id = $2 AND state = 'used' AND shown_deployment_id IS NULL AND ",
            nothing_comes!()
        );
        Ok(changed!(self, sqlx::query(sql).bind(team).bind(id).bind(PlacementState::Going))? == 1)
    }

    /// Says that a placement is used, after all.
    pub async fn placement_use(&mut self, team: TeamId, id: PlacementId) -> Result<()> {
        let sql = "UPDATE placements SET state = $3 WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(PlacementState::Used))?;
        expect_one(done, StoreError::Changed)
    }

    /// Notes that nothing is left of a placement, unless it is used again or something is on its way there. The row stays for deployments
    /// that went there: a rollback has to know.
    pub async fn placement_empty(&mut self, team: TeamId, id: PlacementId) -> Result<bool> {
        let sql = concat!(
            "UPDATE placements SET state = 'gone', url = NULL, shown_deployment_id = NULL, shown_kind = NULL
             WHERE team_id = $1 AND id = $2 AND state = 'going' AND ",
            nothing_comes!()
        );
        let is_empty = changed!(self, sqlx::query(sql).bind(team).bind(id))? == 1;
        if is_empty {
            let sql = "UPDATE deployment_targets SET state = 'gone', detail = NULL, url = NULL WHERE team_id = $1 AND placement_id = $2";
            changed!(self, sqlx::query(sql).bind(team).bind(id))?;
        }
        Ok(is_empty)
    }

    /// Forgets placements of the team in which nothing is left and that no deployment went to.
    pub async fn placement_forget(&mut self, team: TeamId) -> Result<()> {
        let sql = "DELETE FROM placements WHERE team_id = $1 AND state = 'gone' AND NOT EXISTS
            (SELECT 1 FROM deployment_targets t WHERE t.placement_id = placements.id AND t.team_id = $1)";
        changed!(self, sqlx::query(sql).bind(team)).map(drop).map_err(Into::into)
    }

    /// The placements of an environment, oldest first.
    pub async fn placement_list(&mut self, team: TeamId, environment: EnvironmentId) -> Result<Vec<Placement>> {
        let sql = concat!("SELECT ", columns!(), " FROM placements WHERE team_id = $1 AND environment_id = $2 ORDER BY id");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(environment).fetch_all(conn).await)?)
    }

    /// The placement that a deployment went to; `None` for one's own machines.
    pub async fn placement_of_deployment(&mut self, team: TeamId, deployment: DeploymentId) -> Result<Option<Placement>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM placements WHERE team_id = $1
              AND id IN (SELECT placement_id FROM deployment_targets WHERE team_id = $1 AND deployment_id = $2)"
        );
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(deployment).fetch_optional(conn).await)?)
    }

    /// Returns the number of placements in an account and region in which something may be.
    pub async fn placement_count(&mut self, team: TeamId, account: CloudAccountId, region: &str) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM placements WHERE team_id = $1 AND account_id = $2 AND region = $3
            AND state <> 'gone'";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(account).bind(region).fetch_one(conn).await)?)
    }

    /// Sends a deployment to a placement.
    pub async fn deployment_target_put(&mut self, team: TeamId, deployment: DeploymentId, placement: PlacementId) -> Result<()> {
        let sql = "INSERT INTO deployment_targets (deployment_id, placement_id, team_id, state, changed_at)
            SELECT $1, id, team_id, $4, $5 FROM placements WHERE id = $2 AND team_id = $3
            ON CONFLICT (deployment_id) DO UPDATE SET placement_id = excluded.placement_id
            WHERE deployment_targets.team_id = excluded.team_id";
        let done =
            changed!(self, sqlx::query(sql).bind(deployment).bind(placement).bind(team).bind(TargetState::Waiting).bind(now()))?;
        expect_one(done, StoreError::Exists)
    }

    /// The place of a deployment; `None` for one's own machines.
    pub async fn deployment_target_find(&mut self, team: TeamId, deployment: DeploymentId) -> Result<Option<DeploymentTarget>> {
        let sql = concat!("SELECT ", target_columns!(), " FROM deployment_targets WHERE team_id = $1 AND deployment_id = $2");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(deployment).fetch_optional(conn).await)?)
    }

    /// Sends a deployment to one's own machines.
    pub async fn deployment_target_delete(&mut self, team: TeamId, deployment: DeploymentId) -> Result<()> {
        let sql = "DELETE FROM deployment_targets WHERE team_id = $1 AND deployment_id = $2";
        changed!(self, sqlx::query(sql).bind(team).bind(deployment)).map(drop).map_err(Into::into)
    }

    /// Records how a deployment stands in its placement. An address that is not given stays as it was.
    pub async fn deployment_target_change(
        &mut self,
        team: TeamId,
        deployment: DeploymentId,
        state: TargetState,
        detail: Option<&str>,
        url: Option<&str>,
    ) -> Result<()> {
        let sql = "UPDATE deployment_targets SET state = $3, detail = $4, url = COALESCE($5, url), changed_at = $6
            WHERE team_id = $1 AND deployment_id = $2";
        changed!(self, sqlx::query(sql).bind(team).bind(deployment).bind(state).bind(detail).bind(url).bind(now()))?;
        Ok(())
    }
}
