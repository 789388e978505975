//! External identities of users.

use domain::id::UserId;
use domain::time::{Timestamp, now};

use crate::db::{Store, Tx};
use crate::error::Result;

/// An account of a provider that signs a user in.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Identity {
    /// The provider's name.
    pub provider: String,
    /// Id of the user at the provider: never given to somebody else.
    pub subject: String,
    /// User of this installation.
    pub user_id: UserId,
    /// The address that the provider told last.
    pub email: String,
    /// Time since which it signs in.
    pub created_at: Timestamp,
    /// Time of its last sign-in.
    pub used_at: Timestamp,
}

impl Store {
    /// The accounts elsewhere that sign a user in.
    pub async fn identity_list(&self, user: UserId) -> Result<Vec<Identity>> {
        let sql = "SELECT provider, subject, user_id, email, created_at, used_at FROM identities
            WHERE user_id = $1 ORDER BY provider, subject";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(user).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Returns the user whom an account of a provider signs in.
    pub async fn identity_user(&mut self, provider: &str, subject: &str) -> Result<Option<UserId>> {
        let sql = "SELECT user_id FROM identities WHERE provider = $1 AND subject = $2";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(provider).bind(subject).fetch_optional(conn).await)?)
    }

    /// Notes that an account of a provider signed in, and with which address.
    pub async fn identity_touch(&mut self, provider: &str, subject: &str, email: &str) -> Result<()> {
        let sql = "UPDATE identities SET used_at = $3, email = $4 WHERE provider = $1 AND subject = $2";
        tx!(self, |conn| sqlx::query(sql).bind(provider).bind(subject).bind(now()).bind(email).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Lets an account of a provider sign a user in. `Exists` when it signs somebody in already.
    pub async fn identity_insert(&mut self, identity: &Identity) -> Result<()> {
        let sql =
            "INSERT INTO identities (provider, subject, user_id, email, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let Identity { provider, subject, user_id, email, created_at, used_at } = identity;
        tx!(self, |conn| sqlx::query(sql)
            .bind(provider)
            .bind(subject)
            .bind(user_id)
            .bind(email)
            .bind(created_at)
            .bind(used_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Takes that back; `false` when it was not so.
    pub async fn identity_delete(&mut self, user: UserId, provider: &str) -> Result<bool> {
        let sql = "DELETE FROM identities WHERE user_id = $1 AND provider = $2";
        let done = changed!(self, sqlx::query(sql).bind(user).bind(provider))?;
        Ok(done > 0)
    }
}
