//! Sessions, their refresh tokens, and one-time sign-in links. Only digests of tokens are kept.

use domain::access::Permissions;
use domain::id::{SessionId, TeamId, UserId};
use domain::session::Session;
use domain::time::{Timestamp, now};
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::Result;

/// A refresh token as it is kept.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RefreshToken {
    /// The session it belongs to.
    pub session_id: SessionId,
    /// The user of that session.
    pub user_id: UserId,
    /// Expiry time.
    pub expires_at: Timestamp,
    /// Time at which it was exchanged for the next one.
    pub used_at: Option<Timestamp>,
    /// Time at which its whole session was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Time at which its session ends even if it is used.
    pub ends_at: Option<Timestamp>,
}

/// User who was given another user's sign-in link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkMaker {
    /// The team they acted in.
    pub team_id: TeamId,
    /// The user.
    pub user_id: UserId,
    /// Permissions that their credential was limited to.
    pub scopes: Option<Permissions>,
}

const REFRESH_TOKEN: &str = "SELECT t.session_id, s.user_id, t.expires_at, t.used_at, s.revoked_at, s.ends_at
    FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.hash = $1";

impl Store {
    /// Returns true if a session is still valid.
    pub async fn session_is_valid(&self, id: SessionId) -> Result<bool> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM sessions WHERE id = $1 AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > $2))";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(id).bind(now()).fetch_one(pool).await)?)
    }

    /// The sessions of a user that stand and can go on, the latest first.
    pub async fn session_list(&self, user: UserId, at: Timestamp) -> Result<Vec<Session>> {
        let sql =
            "SELECT s.id, s.user_id, s.method, s.address, s.agent, s.created_at, COALESCE(s.used_at, s.created_at) AS used_at, s.ends_at
            FROM sessions s WHERE s.user_id = $1 AND s.revoked_at IS NULL
            AND EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = s.id AND t.used_at IS NULL AND t.expires_at > $2)
            ORDER BY s.created_at DESC, s.id DESC";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(user).bind(at).fetch_all(pool).await)?)
    }

    /// A session of a user's that stands.
    pub async fn session_get(&self, id: SessionId) -> Result<Option<Session>> {
        let sql = "SELECT id, user_id, method, address, agent, created_at, COALESCE(used_at, created_at) AS used_at, ends_at
            FROM sessions WHERE id = $1 AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > $2)";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(id).bind(now()).fetch_optional(pool).await)?)
    }

    /// Returns the user of a sign-in link; `None` if it is unknown, used or expired.
    pub async fn signin_link_user(&self, hash: &str, at: Timestamp) -> Result<Option<UserId>> {
        let sql = "SELECT user_id FROM signin_links WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(hash).bind(at).fetch_optional(pool).await)?)
    }

    /// Lets an unused refresh token stand until a time, if it would end before another; `false` when it stands long enough.
    pub async fn refresh_token_prolong(&self, hash: &str, until: Timestamp, if_before: Timestamp) -> Result<bool> {
        let sql = "UPDATE refresh_tokens SET expires_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at < $3";
        let done = db!(self, |pool| sqlx::query(sql)
            .bind(hash)
            .bind(until)
            .bind(if_before)
            .execute(pool)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// The refresh token with this digest.
    pub async fn refresh_token_look_up(&self, hash: &str) -> Result<Option<RefreshToken>> {
        Ok(db!(self, |pool| sqlx::query_as(REFRESH_TOKEN).bind(hash).fetch_optional(pool).await)?)
    }
}

impl Tx {
    /// Begins a session.
    pub async fn session_insert(&mut self, session: &Session) -> Result<()> {
        let sql = "INSERT INTO sessions (id, user_id, method, address, agent, created_at, used_at, ends_at)
            VALUES ($1, $2, $3, $4, $5, $6, $6, $7)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(session.id)
            .bind(session.user_id)
            .bind(&session.method)
            .bind(&session.address)
            .bind(&session.agent)
            .bind(session.created_at)
            .bind(session.ends_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Notes that a session goes on, and from where.
    pub async fn session_touch(&mut self, id: SessionId, address: &str) -> Result<()> {
        let sql = "UPDATE sessions SET used_at = $2, address = $3 WHERE id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(id).bind(now()).bind(address).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Ends a session: none of its tokens is taken any more. `false` when it had ended before.
    pub async fn session_revoke(&mut self, id: SessionId) -> Result<bool> {
        let sql = "UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(id).bind(now()))?;
        Ok(done == 1)
    }

    /// Ends a user's sessions but one; how many there were.
    pub async fn session_revoke_all(&mut self, user: UserId, but: Option<SessionId>) -> Result<u64> {
        let sql = "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL AND ($3 IS NULL OR id <> $3)";
        Ok(changed!(self, sqlx::query(sql).bind(user).bind(now()).bind(but))?)
    }

    /// Keeps the digest of a refresh token.
    pub async fn refresh_token_insert(&mut self, hash: &str, session: SessionId, expires_at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, $3)";
        tx!(self, |conn| sqlx::query(sql).bind(hash).bind(session).bind(expires_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The refresh token with this digest.
    pub async fn refresh_token_get(&mut self, hash: &str) -> Result<Option<RefreshToken>> {
        Ok(tx!(self, |conn| sqlx::query_as(REFRESH_TOKEN).bind(hash).fetch_optional(conn).await)?)
    }

    /// Marks a refresh token used; `false` when somebody did so before.
    pub async fn refresh_token_use(&mut self, hash: &str) -> Result<bool> {
        let sql = "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(hash).bind(now()))?;
        Ok(done == 1)
    }

    /// Keeps the digest of a one-time sign-in link.
    pub async fn signin_link_insert(&mut self, hash: &str, user: UserId, expires_at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO signin_links (hash, user_id, expires_at) VALUES ($1, $2, $3)";
        tx!(self, |conn| sqlx::query(sql).bind(hash).bind(user).bind(expires_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Records who was given a sign-in link for its user.
    pub async fn signin_link_set_maker(&mut self, hash: &str, maker: &LinkMaker) -> Result<()> {
        let sql = "UPDATE signin_links SET made_in = $2, made_by = $3, scopes = $4 WHERE hash = $1";
        let LinkMaker { team_id, user_id, scopes } = maker;
        let scopes = scopes.map(Json);
        tx!(self, |conn| sqlx::query(sql).bind(hash).bind(team_id).bind(user_id).bind(scopes).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Returns the user who was given a sign-in link for its user; `None` if nobody else was.
    pub async fn signin_link_maker(&mut self, hash: &str) -> Result<Option<LinkMaker>> {
        let sql =
            "SELECT made_in, made_by, scopes FROM signin_links WHERE hash = $1 AND made_in IS NOT NULL AND made_by IS NOT NULL";
        let found: Option<(TeamId, UserId, Option<Json<Permissions>>)> =
            tx!(self, |conn| sqlx::query_as(sql).bind(hash).fetch_optional(conn).await)?;
        Ok(found.map(|(team_id, user_id, scopes)| LinkMaker { team_id, user_id, scopes: scopes.map(|Json(scopes)| scopes) }))
    }

    /// Uses up a sign-in link; whose it is, or `None` when it is unknown, used or expired.
    pub async fn signin_link_use(&mut self, hash: &str) -> Result<Option<UserId>> {
        let sql =
            "UPDATE signin_links SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING user_id";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(hash).bind(now()).fetch_optional(conn).await)?)
    }

    /// Uses up all sign-in links of a user.
    pub async fn signin_link_use_all(&mut self, user: UserId) -> Result<()> {
        let sql = "UPDATE signin_links SET used_at = $2 WHERE user_id = $1 AND used_at IS NULL";
        tx!(self, |conn| sqlx::query(sql).bind(user).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
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
