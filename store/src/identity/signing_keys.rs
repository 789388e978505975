//! The keys that sign access tokens.

use domain::time::Timestamp;

use crate::db::{Store, Tx};
use crate::error::Result;

/// A key of access tokens.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SigningKey {
    /// Its name, which tokens carry.
    pub id: String,
    /// The point on the curve, uncompressed (SEC 1).
    pub public_key: Vec<u8>,
    /// The private half, sealed.
    pub sealed: Vec<u8>,
    /// Time from which it signs, until the next one does.
    pub active_from: Timestamp,
}

const SIGNING_KEYS: &str = "SELECT id, public_key, sealed, active_from FROM signing_keys ORDER BY active_from, id";

impl Store {
    /// All keys, in the order in which they sign.
    pub async fn signing_key_list(&self) -> Result<Vec<SigningKey>> {
        Ok(db!(self, |pool| sqlx::query_as(SIGNING_KEYS).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// All keys, in the order in which they sign, as this transaction sees them.
    pub async fn signing_keys(&mut self) -> Result<Vec<SigningKey>> {
        Ok(tx!(self, |conn| sqlx::query_as(SIGNING_KEYS).fetch_all(conn).await)?)
    }

    /// Adds a key.
    pub async fn signing_key_insert(&mut self, key: &SigningKey) -> Result<()> {
        let sql = "INSERT INTO signing_keys (id, public_key, sealed, active_from) VALUES ($1, $2, $3, $4)";
        let SigningKey { id, public_key, sealed, active_from } = key;
        tx!(self, |conn| sqlx::query(sql)
            .bind(id)
            .bind(public_key)
            .bind(sealed)
            .bind(active_from)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Removes a key: what it signed is refused from now on.
    pub async fn signing_key_delete(&mut self, id: &str) -> Result<()> {
        let sql = "DELETE FROM signing_keys WHERE id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(id).execute(conn).await.map(drop))?;
        Ok(())
    }
}
