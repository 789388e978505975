//! Things of an account and region that several environments share.

use domain::cloud::{CloudBase, CloudBaseState};
use domain::id::{BaseId, CloudAccountId, TeamId};
use domain::time::now;
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

macro_rules! columns {
    () => {
        "id, team_id, account_id, region, base, state, outputs, problem, changed_at"
    };
}

impl Store {
    /// A base of the team.
    pub async fn cloud_base_get(&self, team: TeamId, id: BaseId) -> Result<Option<CloudBase>> {
        let sql = concat!("SELECT ", columns!(), " FROM cloud_bases WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// The bases of an account, oldest first.
    pub async fn cloud_base_list(&self, team: TeamId, account: CloudAccountId) -> Result<Vec<CloudBase>> {
        let sql = concat!("SELECT ", columns!(), " FROM cloud_bases WHERE team_id = $1 AND account_id = $2 ORDER BY id");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(account).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Bases of an account and region on which no environment is left and that nobody removes yet.
    pub async fn cloud_base_list_unused(
        &mut self,
        team: TeamId,
        account: CloudAccountId,
        region: &str,
    ) -> Result<Vec<CloudBase>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM cloud_bases WHERE team_id = $1 AND account_id = $2 AND region = $3 AND state <> $4
              AND NOT EXISTS (SELECT 1 FROM placements WHERE placements.team_id = $1 AND placements.account_id = $2
                AND placements.region = $3 AND placements.state <> 'gone') ORDER BY id DESC"
        );
        let going = CloudBaseState::Dismantling;
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(account).bind(region).bind(going).fetch_all(conn).await)?)
    }

    /// A base of an account and region. It is written, as to be prepared, if there is none; `true` then.
    pub async fn cloud_base_open(
        &mut self,
        team: TeamId,
        account: CloudAccountId,
        region: &str,
        base: &str,
    ) -> Result<(CloudBase, bool)> {
        let sql = "INSERT INTO cloud_bases (id, team_id, account_id, region, base, state, outputs, created_at, changed_at)
            SELECT $1, team_id, id, $4, $5, $6, $7, $8, $8 FROM cloud_accounts WHERE id = $3 AND team_id = $2
            ON CONFLICT (account_id, region, base) DO NOTHING";
        let written = changed!(
            self,
            sqlx::query(sql)
                .bind(BaseId::new())
                .bind(team)
                .bind(account)
                .bind(region)
                .bind(base)
                .bind(CloudBaseState::Preparing)
                .bind(Json(serde_json::json!({})))
                .bind(now())
        )?;
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM cloud_bases WHERE team_id = $1 AND account_id = $2 AND region = $3 AND base = $4"
        );
        let found =
            tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(account).bind(region).bind(base).fetch_optional(conn).await)?;
        Ok((found.ok_or(StoreError::Changed)?, written == 1))
    }

    /// Records how a base stands now.
    pub async fn cloud_base_put(&mut self, base: &CloudBase) -> Result<()> {
        let sql = "UPDATE cloud_bases SET state = $3, outputs = $4, problem = $5, changed_at = $6 WHERE team_id = $1 AND id = $2";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(base.team_id)
                .bind(base.id)
                .bind(base.state)
                .bind(Json(&base.outputs))
                .bind(&base.problem)
                .bind(now())
        )?;
        expect_one(done, StoreError::Changed)
    }

    /// Deletes a base of which nothing is left.
    pub async fn cloud_base_delete(&mut self, team: TeamId, id: BaseId) -> Result<()> {
        let sql = "DELETE FROM cloud_bases WHERE team_id = $1 AND id = $2";
        changed!(self, sqlx::query(sql).bind(team).bind(id)).map(drop).map_err(Into::into)
    }
}
