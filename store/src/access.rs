//! Users, teams and API keys.

use domain::access::Permissions;
use domain::id::{ApiKeyId, TeamId, UserId};
use domain::team::{ApiKey, Standing, Team, User};
use domain::time::{Timestamp, now};
use sqlx::types::Json;

use crate::Page;
use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};
use crate::members::{StandingRow, standing_columns, standing_joins, standings};

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

/// What a user signs in with.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Credentials {
    /// The user.
    pub id: UserId,
    /// The password's argon2id hash in PHC form; `None` until one is set.
    pub password_hash: Option<String>,
}

/// An API key to be kept.
pub struct NewApiKey<'a> {
    /// Identity.
    pub id: ApiKeyId,
    /// The team it acts in.
    pub team_id: TeamId,
    /// Who makes it.
    pub user_id: UserId,
    /// What it is for.
    pub name: &'a str,
    /// The first characters of the key.
    pub prefix: &'a str,
    /// The digest of the key.
    pub hash: &'a str,
    /// What it may do.
    pub scopes: Permissions,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

impl Store {
    /// How many users there are.
    pub async fn user_count(&self) -> Result<i64> {
        Ok(db!(self, |pool| sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(pool).await)?)
    }

    /// The user who has owned a team for the longest time.
    pub async fn owner_get(&self) -> Result<Option<UserId>> {
        let sql = "SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.role = 'owner' AND m.role_id IS NULL AND u.created_by IS NULL ORDER BY m.created_at, m.user_id LIMIT 1";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).fetch_optional(pool).await)?)
    }

    /// A user.
    pub async fn user_get(&self, id: UserId) -> Result<Option<User>> {
        let sql = "SELECT id, email, name, created_at FROM users WHERE id = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?)
    }

    /// What the user with this address signs in with.
    pub async fn credentials_get(&self, email: &str) -> Result<Option<Credentials>> {
        let sql = "SELECT id, password_hash FROM users WHERE email = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(email).fetch_optional(pool).await)?)
    }

    /// A team.
    pub async fn team_get(&self, id: TeamId) -> Result<Option<Team>> {
        let sql = "SELECT id, name, created_at FROM teams WHERE id = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?)
    }

    /// The teams that a user is in, the oldest first.
    pub async fn user_team_list(&self, user: UserId) -> Result<Vec<Team>> {
        let sql = "SELECT t.id, t.name, t.created_at FROM teams t JOIN memberships m ON m.team_id = t.id WHERE m.user_id = $1 ORDER BY t.id";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(user).fetch_all(pool).await)?)
    }

    /// A page of all teams of the installation, the oldest first.
    pub async fn team_list(&self, after: Option<TeamId>, limit: i64) -> Result<Page<Team>> {
        let sql = "SELECT id, name, created_at FROM teams WHERE CAST($1 AS UUID) IS NULL OR id > $1 ORDER BY id LIMIT $2 + 1";
        let rows = db!(self, |pool| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(pool).await)?;
        Ok(Page::from_rows(rows, limit))
    }

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

    /// Whether a key can still be used at this moment.
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

    /// Whether this user runs the installation.
    pub async fn user_is_operator(&self, user: UserId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND operator)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(user).fetch_one(pool).await)?)
    }
}

impl Tx {
    /// Makes a user one who runs the installation.
    pub async fn user_make_operator(&mut self, user: UserId) -> Result<()> {
        let sql = "UPDATE users SET operator = TRUE WHERE id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(user).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The user with this address, as this transaction sees it.
    pub async fn user_by_email(&mut self, email: &str) -> Result<Option<User>> {
        let sql = "SELECT id, email, name, created_at FROM users WHERE email = $1";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(email).fetch_optional(conn).await)?)
    }

    /// Whether a user ever had a way to sign in of their own.
    pub async fn user_was_in(&mut self, user: UserId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND (password_hash IS NOT NULL OR created_by IS NOT NULL))
            OR EXISTS (SELECT 1 FROM identities WHERE user_id = $1)";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(user).fetch_one(conn).await)?)
    }

    /// Adds a user. `Exists` when the address is taken.
    pub async fn user_insert(&mut self, user: &User) -> Result<()> {
        let sql = "INSERT INTO users (id, email, name, created_at) VALUES ($1, $2, $3, $4)";
        let User { id, email, name, created_at } = user;
        tx!(self, |conn| sqlx::query(sql).bind(id).bind(email).bind(name).bind(created_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Sets a user's password hash (PHC form).
    pub async fn user_set_password(&mut self, user: UserId, hash: &str) -> Result<()> {
        let sql = "UPDATE users SET password_hash = $2 WHERE id = $1";
        let done = tx!(self, |conn| sqlx::query(sql).bind(user).bind(hash).execute(conn).await.map(|d| d.rows_affected()))?;
        expect_one(done, StoreError::Changed)
    }

    /// Adds a team.
    pub async fn team_insert(&mut self, team: &Team) -> Result<()> {
        let sql = "INSERT INTO teams (id, name, created_at) VALUES ($1, $2, $3)";
        tx!(self, |conn| sqlx::query(sql).bind(team.id).bind(&team.name).bind(team.created_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Gives a team another name; `false` when it is not there.
    pub async fn team_rename(&mut self, team: TeamId, name: &str) -> Result<bool> {
        let sql = "UPDATE teams SET name = $2 WHERE id = $1";
        let done = tx!(self, |conn| sqlx::query(sql).bind(team).bind(name).execute(conn).await.map(|d| d.rows_affected()))?;
        Ok(done == 1)
    }

    /// Every team of the installation, as this transaction sees it.
    pub async fn team_list_all(&mut self) -> Result<Vec<Team>> {
        let sql = "SELECT id, name, created_at FROM teams ORDER BY id";
        Ok(tx!(self, |conn| sqlx::query_as(sql).fetch_all(conn).await)?)
    }

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
        let done =
            tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).bind(now()).execute(conn).await.map(|d| d.rows_affected()))?;
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
        let done =
            tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).bind(now()).execute(conn).await.map(|d| d.rows_affected()))?;
        Ok(done == 1)
    }

    /// Revokes the keys of all command lines that a user signed in, in whichever team.
    pub async fn api_key_revoke_logins(&mut self, user: UserId) -> Result<()> {
        let sql = "UPDATE api_keys SET revoked_at = $2 WHERE user_id = $1 AND login AND revoked_at IS NULL";
        tx!(self, |conn| sqlx::query(sql).bind(user).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }
}
