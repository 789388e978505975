//! Accounts at vendors of clouds.

use domain::cloud::CloudAccount;
use domain::id::{CloudAccountId, TeamId};
use domain::time::Timestamp;
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

macro_rules! columns {
    () => {
        "id, team_id, cloud, name, identity, credential_kind, credential_version, region, endpoint, state, problem, principal, checks, \
         verified_at, next_check_at, is_default, created_by, created_at"
    };
}

impl Store {
    /// The team's accounts, by cloud and name.
    pub async fn cloud_account_list(&self, team: TeamId) -> Result<Vec<CloudAccount>> {
        let sql = concat!("SELECT ", columns!(), " FROM cloud_accounts WHERE team_id = $1 ORDER BY cloud, name");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_all(pool).await)?)
    }

    /// An account of the team.
    pub async fn cloud_account_get(&self, team: TeamId, id: CloudAccountId) -> Result<Option<CloudAccount>> {
        let sql = concat!("SELECT ", columns!(), " FROM cloud_accounts WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// The sealed credential of an account.
    pub async fn cloud_account_credential(&self, team: TeamId, id: CloudAccountId) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT sealed FROM cloud_accounts WHERE team_id = $1 AND id = $2";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// Accounts of all teams that it is time to look at.
    pub async fn cloud_account_list_due(&self, at: Timestamp) -> Result<Vec<CloudAccount>> {
        let sql =
            concat!("SELECT ", columns!(), " FROM cloud_accounts WHERE next_check_at <= $1 ORDER BY next_check_at LIMIT 100");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(at).fetch_all(pool).await)?)
    }

    /// Returns the number of placements and journal entries that an account still has.
    pub async fn cloud_account_uses(&self, team: TeamId, id: CloudAccountId) -> Result<i64> {
        let sql = "SELECT (SELECT COUNT(*) FROM placements WHERE team_id = $1 AND account_id = $2 AND state <> 'gone')
            + (SELECT COUNT(*) FROM cloud_resources WHERE team_id = $1 AND account_id = $2)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(id).fetch_one(pool).await)?)
    }
}

impl Tx {
    /// Adds an account with its sealed credential. `Exists` when the team has one of that cloud and name.
    pub async fn cloud_account_insert(&mut self, account: &CloudAccount, sealed: &[u8]) -> Result<()> {
        let sql = concat!(
            "INSERT INTO cloud_accounts (",
            columns!(),
            ", sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
        );
        tx!(self, |conn| sqlx::query(sql)
            .bind(account.id)
            .bind(account.team_id)
            .bind(&account.cloud)
            .bind(&account.name)
            .bind(&account.identity)
            .bind(&account.credential_kind)
            .bind(account.credential_version)
            .bind(&account.region)
            .bind(&account.endpoint)
            .bind(account.state)
            .bind(&account.problem)
            .bind(&account.principal)
            .bind(Json(&account.checks))
            .bind(account.verified_at)
            .bind(account.next_check_at)
            .bind(account.is_default)
            .bind(account.created_by)
            .bind(account.created_at)
            .bind(sealed)
            .execute(conn)
            .await
            .map(drop))?;
        crate::operations::idempotency::made(account.id);
        Ok(())
    }

    /// An account of the team, whose row stays locked until the transaction ends.
    pub async fn cloud_account_lock(&mut self, team: TeamId, id: CloudAccountId) -> Result<Option<CloudAccount>> {
        let sql = concat!("UPDATE cloud_accounts SET name = name WHERE team_id = $1 AND id = $2 RETURNING ", columns!());
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }

    /// Records what is known of an account: state, problem, checks and when it is looked at next. `Changed` when the team has none such any
    /// more, or it got another credential meanwhile.
    pub async fn cloud_account_checked(&mut self, account: &CloudAccount) -> Result<()> {
        let sql = "UPDATE cloud_accounts SET state = $4, problem = $5, principal = $6, checks = $7, verified_at = $8, next_check_at = $9
            WHERE team_id = $1 AND id = $2 AND credential_version = $3";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(account.team_id)
                .bind(account.id)
                .bind(account.credential_version)
                .bind(account.state)
                .bind(&account.problem)
                .bind(&account.principal)
                .bind(Json(&account.checks))
                .bind(account.verified_at)
                .bind(account.next_check_at)
        )?;
        expect_one(done, StoreError::Changed)
    }

    /// Gives an account another credential, and counts it.
    pub async fn cloud_account_put_credential(
        &mut self,
        team: TeamId,
        id: CloudAccountId,
        kind: &str,
        sealed: &[u8],
    ) -> Result<()> {
        let sql = "UPDATE cloud_accounts SET credential_kind = $3, sealed = $4, credential_version = credential_version + 1
            WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(kind).bind(sealed))?;
        expect_one(done, StoreError::Changed)
    }

    /// Changes the region of deployments that name none.
    pub async fn cloud_account_set_region(&mut self, team: TeamId, id: CloudAccountId, region: &str) -> Result<()> {
        let sql = "UPDATE cloud_accounts SET region = $3 WHERE team_id = $1 AND id = $2";
        expect_one(changed!(self, sqlx::query(sql).bind(team).bind(id).bind(region))?, StoreError::Changed)
    }

    /// Makes an account the one that is meant where a deployment names its cloud alone.
    pub async fn cloud_account_make_default(&mut self, team: TeamId, cloud: &str, id: CloudAccountId) -> Result<()> {
        let others = "UPDATE cloud_accounts SET is_default = FALSE WHERE team_id = $1 AND cloud = $2 AND is_default";
        changed!(self, sqlx::query(others).bind(team).bind(cloud))?;
        let sql = "UPDATE cloud_accounts SET is_default = TRUE WHERE team_id = $1 AND cloud = $2 AND id = $3";
        expect_one(changed!(self, sqlx::query(sql).bind(team).bind(cloud).bind(id))?, StoreError::Changed)
    }

    /// Deletes an account of which nothing is left.
    pub async fn cloud_account_delete(&mut self, team: TeamId, id: CloudAccountId) -> Result<()> {
        let places = "DELETE FROM placements WHERE team_id = $1 AND account_id = $2 AND state = 'gone'";
        changed!(self, sqlx::query(places).bind(team).bind(id))?;
        let bases = "DELETE FROM cloud_bases WHERE team_id = $1 AND account_id = $2";
        changed!(self, sqlx::query(bases).bind(team).bind(id))?;
        let sql = "DELETE FROM cloud_accounts WHERE team_id = $1 AND id = $2";
        changed!(self, sqlx::query(sql).bind(team).bind(id)).map(drop).map_err(Into::into)
    }

    /// Pauses the accounts of all teams: after a restore another installation may be using them.
    pub async fn cloud_account_pause_all(&mut self, problem: &str) -> Result<()> {
        let sql = "UPDATE cloud_accounts SET state = 'paused', problem = $1, next_check_at = NULL WHERE state <> 'disconnecting'";
        changed!(self, sqlx::query(sql).bind(problem)).map(drop).map_err(Into::into)
    }
}
