//! Users, teams, memberships and API keys.

use domain::access::{Permission, Role};
use domain::id::{ApiKeyId, TeamId, UserId};
use domain::team::{ApiKey, Membership, Team, User};
use domain::time::{Timestamp, now};
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

macro_rules! api_key_columns {
    () => {
        "id, team_id, user_id, name, prefix, scopes, expires_at, revoked_at, created_at"
    };
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
    pub scopes: &'a [Permission],
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
        let sql = "SELECT user_id FROM memberships WHERE role = 'owner' ORDER BY created_at, user_id LIMIT 1";
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

    /// The memberships of a user, oldest team first.
    pub async fn membership_list(&self, user: UserId) -> Result<Vec<Membership>> {
        let sql = "SELECT team_id, user_id, role FROM memberships WHERE user_id = $1 ORDER BY team_id";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(user).fetch_all(pool).await)?)
    }

    /// A user's membership in a team.
    pub async fn membership_get(&self, team: TeamId, user: UserId) -> Result<Option<Membership>> {
        let sql = "SELECT team_id, user_id, role FROM memberships WHERE team_id = $1 AND user_id = $2";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(user).fetch_optional(pool).await)?)
    }

    /// A team.
    pub async fn team_get(&self, id: TeamId) -> Result<Option<Team>> {
        let sql = "SELECT id, name, created_at FROM teams WHERE id = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?)
    }

    /// The members of a team with their roles, oldest first.
    pub async fn member_list(&self, team: TeamId) -> Result<Vec<(User, Role)>> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            user: User,
            role: Role,
        }
        let sql = "SELECT u.id, u.email, u.name, u.created_at, m.role FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.team_id = $1 ORDER BY m.created_at, u.id";
        let rows: Vec<Row> = db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(|row| (row.user, row.role)).collect())
    }

    /// The API key with this digest, revoked and expired ones too, with its user's present role in its team, which is `None` for one
    /// who left.
    pub async fn api_key_get(&self, hash: &str) -> Result<Option<(ApiKey, Option<Role>)>> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            key: ApiKey,
            role: Option<Role>,
        }
        let sql =
            "SELECT k.id, k.team_id, k.user_id, k.name, k.prefix, k.scopes, k.expires_at, k.revoked_at, k.created_at, m.role
            FROM api_keys k LEFT JOIN memberships m ON m.team_id = k.team_id AND m.user_id = k.user_id WHERE k.hash = $1";
        let row: Option<Row> = db!(self, |pool| sqlx::query_as(sql).bind(hash).fetch_optional(pool).await)?;
        Ok(row.map(|row| (row.key, row.role)))
    }

    /// Whether a key can still be used at this moment.
    pub async fn api_key_is_valid(&self, team: TeamId, id: ApiKeyId, at: Timestamp) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM api_keys WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > $3))";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(id).bind(at).fetch_one(pool).await)?)
    }

    /// The API keys of a team, newest first.
    pub async fn api_key_list(&self, team: TeamId) -> Result<Vec<ApiKey>> {
        let sql = concat!("SELECT ", api_key_columns!(), " FROM api_keys WHERE team_id = $1 ORDER BY id DESC");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_all(pool).await)?)
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

    /// Gives a user a role in a team, instead of the one it had.
    pub async fn membership_put(&mut self, membership: &Membership) -> Result<()> {
        let sql = "INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role";
        let Membership { team_id, user_id, role } = membership;
        tx!(self, |conn| sqlx::query(sql).bind(team_id).bind(user_id).bind(role).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Takes a user out of a team.
    pub async fn membership_delete(&mut self, team: TeamId, user: UserId) -> Result<bool> {
        let sql = "DELETE FROM memberships WHERE team_id = $1 AND user_id = $2";
        let done = tx!(self, |conn| sqlx::query(sql).bind(team).bind(user).execute(conn).await.map(|d| d.rows_affected()))?;
        Ok(done == 1)
    }

    /// How many owners a team has.
    pub async fn owner_count(&mut self, team: TeamId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM memberships WHERE team_id = $1 AND role = 'owner'";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).fetch_one(conn).await)?)
    }

    /// Adds an API key.
    pub async fn api_key_insert(&mut self, key: &NewApiKey<'_>) -> Result<()> {
        let sql = "INSERT INTO api_keys (id, team_id, user_id, name, prefix, hash, scopes, expires_at, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(key.id)
            .bind(key.team_id)
            .bind(key.user_id)
            .bind(key.name)
            .bind(key.prefix)
            .bind(key.hash)
            .bind(Json(key.scopes))
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
}
