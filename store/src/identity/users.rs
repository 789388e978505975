//! Users.

use domain::id::UserId;
use domain::team::User;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

/// Credentials of a user's sign-in.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Credentials {
    /// The user.
    pub id: UserId,
    /// The password's argon2id hash in PHC form; `None` until one is set.
    pub password_hash: Option<String>,
}

impl Store {
    /// Returns the number of users.
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

    /// Returns the sign-in credentials of the user with this address.
    pub async fn credentials_get(&self, email: &str) -> Result<Option<Credentials>> {
        let sql = "SELECT id, password_hash FROM users WHERE email = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(email).fetch_optional(pool).await)?)
    }

    /// Returns true if this user is an operator.
    pub async fn user_is_operator(&self, user: UserId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND operator)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(user).fetch_one(pool).await)?)
    }
}

impl Tx {
    /// Makes a user an operator.
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

    /// Returns true if a user ever had a way to sign in of their own.
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
        let done = changed!(self, sqlx::query(sql).bind(user).bind(hash))?;
        expect_one(done, StoreError::Changed)
    }
}
