//! The journal: what exists in clouds of vendors because of us.

use domain::cloud::CloudResource;
use domain::id::{CloudAccountId, TeamId};
use domain::time::now;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, team_id, account_id, region, placement_id, owner_kind, owner_id, kind, purpose, name, generation, state, token, external_id, \
         operation, outputs, revision, created_at, changed_at"
    };
}

impl Store {
    /// Things of one owner in an account and region, newest first.
    pub async fn cloud_resource_list_of(
        &self,
        team: TeamId,
        account: CloudAccountId,
        region: &str,
        owner: Uuid,
    ) -> Result<Vec<CloudResource>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM cloud_resources WHERE team_id = $1 AND account_id = $2 AND region = $3 AND owner_id = $4 ORDER BY id DESC"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(account).bind(region).bind(owner).fetch_all(pool).await)?)
    }

    /// A page of the things in an account, newest first.
    pub async fn cloud_resource_list(
        &self,
        team: TeamId,
        account: CloudAccountId,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Page<CloudResource>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM cloud_resources WHERE team_id = $1 AND account_id = $2 AND (CAST($3 AS UUID) IS NULL OR id < $3)
              ORDER BY id DESC LIMIT $4 + 1"
        );
        let rows = db!(self, |pool| sqlx::query_as(sql).bind(team).bind(account).bind(after).bind(limit).fetch_all(pool).await)?;
        Ok(Page::from_rows(rows, limit))
    }
}

impl Tx {
    /// The entry of a thing. It is written as given if there is none.
    pub async fn cloud_resource_open(&mut self, wanted: &CloudResource) -> Result<CloudResource> {
        let sql = concat!(
            "INSERT INTO cloud_resources (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
             ON CONFLICT (account_id, region, owner_id, kind, purpose) DO NOTHING"
        );
        tx!(self, |conn| sqlx::query(sql)
            .bind(wanted.id)
            .bind(wanted.team_id)
            .bind(wanted.account_id)
            .bind(&wanted.region)
            .bind(wanted.placement_id)
            .bind(&wanted.owner_kind)
            .bind(wanted.owner_id)
            .bind(&wanted.kind)
            .bind(&wanted.purpose)
            .bind(&wanted.name)
            .bind(wanted.generation)
            .bind(&wanted.state)
            .bind(wanted.token)
            .bind(&wanted.external_id)
            .bind(wanted.operation.as_ref().map(Json))
            .bind(Json(&wanted.outputs))
            .bind(wanted.revision)
            .bind(wanted.created_at)
            .bind(wanted.changed_at)
            .execute(conn)
            .await
            .map(drop))?;
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM cloud_resources WHERE team_id = $1 AND account_id = $2 AND region = $3 AND owner_id = $4 AND kind = $5 AND purpose = $6"
        );
        let found = tx!(self, |conn| sqlx::query_as(sql)
            .bind(wanted.team_id)
            .bind(wanted.account_id)
            .bind(&wanted.region)
            .bind(wanted.owner_id)
            .bind(&wanted.kind)
            .bind(&wanted.purpose)
            .fetch_optional(conn)
            .await)?;
        found.ok_or(StoreError::Changed)
    }

    /// Writes an entry back, if its revision is still the one that was read; it is counted up.
    pub async fn cloud_resource_put(&mut self, entry: &CloudResource) -> Result<()> {
        let sql =
            "UPDATE cloud_resources SET name = $4, generation = $5, state = $6, token = $7, external_id = $8, operation = $9,
            outputs = $10, revision = revision + 1, changed_at = $11 WHERE team_id = $1 AND id = $2 AND revision = $3";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(entry.team_id)
                .bind(entry.id)
                .bind(entry.revision)
                .bind(&entry.name)
                .bind(entry.generation)
                .bind(&entry.state)
                .bind(entry.token)
                .bind(&entry.external_id)
                .bind(entry.operation.as_ref().map(Json))
                .bind(Json(&entry.outputs))
                .bind(now())
        )?;
        expect_one(done, StoreError::Changed)
    }

    /// Strikes off a thing that is gone, if its revision is still the one that was read.
    pub async fn cloud_resource_delete(&mut self, entry: &CloudResource) -> Result<()> {
        let sql = "DELETE FROM cloud_resources WHERE team_id = $1 AND id = $2 AND revision = $3";
        expect_one(changed!(self, sqlx::query(sql).bind(entry.team_id).bind(entry.id).bind(entry.revision))?, StoreError::Changed)
    }
}
