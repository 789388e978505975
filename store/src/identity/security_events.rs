//! Security events of accounts, of which their users are notified.

use domain::id::{SecurityEventId, UserId};
use domain::session::SecurityEvent;
use domain::time::{Timestamp, now};

use crate::db::{Store, Tx};
use crate::error::Result;

impl Store {
    /// Something that happened to an account.
    pub async fn security_event_get(&self, id: SecurityEventId) -> Result<Option<SecurityEvent>> {
        let sql = "SELECT id, user_id, kind, address, agent, created_at, seen_at FROM security_events WHERE id = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?)
    }

    /// The latest events of a user's account, the newest first.
    pub async fn security_event_list(&self, user: UserId, limit: i64) -> Result<Vec<SecurityEvent>> {
        let sql = "SELECT id, user_id, kind, address, agent, created_at, seen_at FROM security_events
            WHERE user_id = $1 ORDER BY id DESC LIMIT $2 + 0";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(user).bind(limit).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Tells a user of something.
    pub async fn security_event_insert(&mut self, event: &SecurityEvent) -> Result<()> {
        let sql = "INSERT INTO security_events (id, user_id, kind, address, agent, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(event.id)
            .bind(event.user_id)
            .bind(event.kind)
            .bind(&event.address)
            .bind(&event.agent)
            .bind(event.created_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Notes that a user has seen what there is.
    pub async fn security_events_seen(&mut self, user: UserId) -> Result<()> {
        let sql = "UPDATE security_events SET seen_at = $2 WHERE user_id = $1 AND seen_at IS NULL";
        tx!(self, |conn| sqlx::query(sql).bind(user).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes events from before this moment.
    pub async fn security_event_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM security_events WHERE created_at < $1";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
