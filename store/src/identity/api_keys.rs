//! API keys.

use domain::access::Permissions;
use domain::id::{ApiKeyId, TeamId, UserId};
use domain::team::{ApiKey, Standing};
use domain::time::{Timestamp, now};
use sqlx::types::Json;

use super::members::{StandingRow, standing_columns, standing_joins, standings};
use crate::db::{Store, Tx};
use crate::error::Result;

macro_rules! api_key_columns {
    () => {
        "k.id, k.team_id, k.user_id, k.name, k.prefix, k.scopes, k.added_scopes, k.expires_at, k.revoked_at, k.created_at"
    };
}

#[derive(sqlx::FromRow)]
struct ApiKeyRow {
    id: ApiKeyId,
    team_id: TeamId,
    user_id: UserId,
    name: String,
    prefix: String,
    scopes: Json<Permissions>,
    added_scopes: Option<Json<Permissions>>,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> Self {
        let ApiKeyRow { id, team_id, user_id, name, prefix, scopes, added_scopes, expires_at, revoked_at, created_at } = row;
        let scopes = scopes.0 | added_scopes.map_or(Permissions::NONE, |Json(added)| added);
        Self { id, team_id, user_id, name, prefix, scopes, expires_at, revoked_at, created_at }
    }
}

/// An API key to be kept.
pub struct NewApiKey<'a> {
    /// Identity.
    pub id: ApiKeyId,
    /// The team it acts in.
    pub team_id: TeamId,
    /// Creator of the key.
    pub user_id: UserId,
    /// Purpose of the key.
    pub name: &'a str,
    /// The first characters of the key.
    pub prefix: &'a str,
    /// The digest of the key.
    pub hash: &'a str,
    /// Permissions of the key.
    pub scopes: Permissions,
    /// Expiry of the key.
    pub expires_at: Option<Timestamp>,
}

impl Store {
    /// The API key with this digest, revoked and expired ones too, with its user's place in its team, which is `None` for one who left.
    pub async fn api_key_get(&self, hash: &str) -> Result<Option<(ApiKey, Option<Standing>)>> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            key: ApiKeyRow,
            #[sqlx(flatten)]
            standing: StandingRow,
        }
        let sql = concat!(
            "SELECT ",
            api_key_columns!(),
            ", ",
            standing_columns!(),
            " FROM api_keys k LEFT JOIN memberships m ON m.team_id = k.team_id AND m.user_id = k.user_id",
            standing_joins!(),
            "WHERE k.hash = $1 ORDER BY g.id"
        );
        let rows: Vec<Row> = db!(self, |pool| sqlx::query_as(sql).bind(hash).fetch_all(pool).await)?;
        let (mut keys, rows): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.key, row.standing)).unzip();
        Ok(keys.pop().map(|key| (key.into(), standings(&rows).pop())))
    }

    /// Returns true if a key can still be used at this moment.
    pub async fn api_key_is_valid(&self, team: TeamId, id: ApiKeyId, at: Timestamp) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM api_keys WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > $3))";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(id).bind(at).fetch_one(pool).await)?)
    }

    /// The API keys of a team, newest first.
    pub async fn api_key_list(&self, team: TeamId) -> Result<Vec<ApiKey>> {
        let sql = concat!("SELECT ", api_key_columns!(), " FROM api_keys k WHERE k.team_id = $1 ORDER BY k.id DESC");
        let rows: Vec<ApiKeyRow> = db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(ApiKey::from).collect())
    }
}

impl Tx {
    /// Adds an API key.
    pub async fn api_key_insert(&mut self, key: &NewApiKey<'_>) -> Result<()> {
        let sql = "INSERT INTO api_keys (id, team_id, user_id, name, prefix, hash, scopes, added_scopes, expires_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let added = key.scopes.without(Permissions::FIRST);
        tx!(self, |conn| sqlx::query(sql)
            .bind(key.id)
            .bind(key.team_id)
            .bind(key.user_id)
            .bind(key.name)
            .bind(key.prefix)
            .bind(key.hash)
            .bind(Json(key.scopes & Permissions::FIRST))
            .bind((!added.is_empty()).then_some(Json(added)))
            .bind(key.expires_at)
            .bind(now())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Revokes an API key; `false` when the team has no such key or it is revoked already.
    pub async fn api_key_revoke(&mut self, team: TeamId, id: ApiKeyId) -> Result<bool> {
        let sql = "UPDATE api_keys SET revoked_at = $3 WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(now()))?;
        Ok(done == 1)
    }

    /// Notes that a key is that of a command line that signed in.
    pub async fn api_key_is_login(&mut self, team: TeamId, id: ApiKeyId) -> Result<()> {
        let sql = "UPDATE api_keys SET login = TRUE WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Revokes a key if it is that of a command line that signed in; `false` when it is not, or was revoked before.
    pub async fn api_key_revoke_login(&mut self, team: TeamId, id: ApiKeyId) -> Result<bool> {
        let sql = "UPDATE api_keys SET revoked_at = $3 WHERE team_id = $1 AND id = $2 AND login AND revoked_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(now()))?;
        Ok(done == 1)
    }

    /// Revokes the keys of all command lines that a user signed in, in whichever team.
    pub async fn api_key_revoke_logins(&mut self, user: UserId) -> Result<()> {
        let sql = "UPDATE api_keys SET revoked_at = $2 WHERE user_id = $1 AND login AND revoked_at IS NULL";
        tx!(self, |conn| sqlx::query(sql).bind(user).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }
}
