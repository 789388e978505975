//! Sessions, their refresh tokens, and one-time sign-in links. Only digests of tokens are kept.

use domain::id::{SessionId, UserId};
use domain::time::{Timestamp, now};

use crate::db::{Store, Tx};
use crate::error::Result;

/// A refresh token as it is kept.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RefreshToken {
    /// The session it belongs to.
    pub session_id: SessionId,
    /// The user of that session.
    pub user_id: UserId,
    /// From when on it is refused.
    pub expires_at: Timestamp,
    /// When it was exchanged for the next one.
    pub used_at: Option<Timestamp>,
    /// When its whole session was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Store {
    /// Whether a session still stands.
    pub async fn session_is_valid(&self, id: SessionId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM sessions WHERE id = $1 AND revoked_at IS NULL)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(id).fetch_one(pool).await)?)
    }
}

impl Tx {
    /// Begins a session.
    pub async fn session_insert(&mut self, id: SessionId, user: UserId) -> Result<()> {
        let sql = "INSERT INTO sessions (id, user_id, created_at) VALUES ($1, $2, $3)";
        tx!(self, |conn| sqlx::query(sql).bind(id).bind(user).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Ends a session: none of its tokens is taken any more.
    pub async fn session_revoke(&mut self, id: SessionId) -> Result<()> {
        let sql = "UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        tx!(self, |conn| sqlx::query(sql).bind(id).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Keeps the digest of a refresh token.
    pub async fn refresh_token_insert(&mut self, hash: &str, session: SessionId, expires_at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, $3)";
        tx!(self, |conn| sqlx::query(sql).bind(hash).bind(session).bind(expires_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The refresh token with this digest.
    pub async fn refresh_token_get(&mut self, hash: &str) -> Result<Option<RefreshToken>> {
        let sql = "SELECT t.session_id, s.user_id, t.expires_at, t.used_at, s.revoked_at
            FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.hash = $1";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(hash).fetch_optional(conn).await)?)
    }

    /// Marks a refresh token used; `false` when somebody did so before.
    pub async fn refresh_token_use(&mut self, hash: &str) -> Result<bool> {
        let sql = "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
        let done = tx!(self, |conn| sqlx::query(sql).bind(hash).bind(now()).execute(conn).await.map(|d| d.rows_affected()))?;
        Ok(done == 1)
    }

    /// Keeps the digest of a one-time sign-in link.
    pub async fn signin_link_insert(&mut self, hash: &str, user: UserId, expires_at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO signin_links (hash, user_id, expires_at) VALUES ($1, $2, $3)";
        tx!(self, |conn| sqlx::query(sql).bind(hash).bind(user).bind(expires_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Uses up a sign-in link; whose it is, or `None` when it is unknown, used or expired.
    pub async fn signin_link_use(&mut self, hash: &str) -> Result<Option<UserId>> {
        let sql =
            "UPDATE signin_links SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING user_id";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(hash).bind(now()).fetch_optional(conn).await)?)
    }

    /// Deletes sessions and links that ended before this moment.
    pub async fn session_purge(&mut self, before: Timestamp) -> Result<()> {
        let links = "DELETE FROM signin_links WHERE expires_at < $1";
        tx!(self, |conn| sqlx::query(links).bind(before).execute(conn).await.map(drop))?;
        let sessions = "DELETE FROM sessions WHERE created_at < $1
            AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = sessions.id AND t.expires_at >= $1)";
        tx!(self, |conn| sqlx::query(sessions).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
