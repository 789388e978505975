//! Deliveries to channels, and each attempt.

use domain::id::{ChannelId, DeliveryId, TeamId};
use domain::notification::{Attempt, Delivery, DeliveryState};
use domain::time::{Timestamp, now};
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, team_id, channel_id, recipient_id, event, event_at, data, state, tries, attempts, next_attempt_at, error, finished_at"
    };
}

/// Filter of a channel's deliveries.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryFilter {
    /// In this state; in any when absent.
    pub state: Option<DeliveryState>,
    /// Earliest time of the events; unlimited if absent.
    pub since: Option<Timestamp>,
}

/// Outcome of an attempt to deliver.
#[derive(Debug, Clone)]
pub struct AttemptEnd {
    /// The attempt; its number is given when it is written.
    pub attempt: Attempt,
    /// State of the delivery after the attempt.
    pub state: DeliveryState,
    /// Time of the next attempt.
    pub next_attempt_at: Option<Timestamp>,
}

impl Store {
    /// A page of what was sent to a channel, the newest first.
    pub async fn delivery_list(
        &self,
        team: TeamId,
        channel: ChannelId,
        filter: DeliveryFilter,
        after: Option<DeliveryId>,
        limit: i64,
    ) -> Result<Page<Delivery>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM notification_deliveries WHERE team_id = $1 AND channel_id = $2 AND (CAST($3 AS TEXT) IS NULL OR state = $3)
              AND (CAST($4 AS TIMESTAMPTZ) IS NULL OR event_at >= $4) AND (CAST($5 AS UUID) IS NULL OR id < $5)
              ORDER BY id DESC LIMIT $6 + 1"
        );
        let rows = db!(self, |pool| sqlx::query_as(sql)
            .bind(team)
            .bind(channel)
            .bind(filter.state)
            .bind(filter.since)
            .bind(after)
            .bind(limit)
            .fetch_all(pool)
            .await)?;
        Ok(Page::from_rows(rows, limit))
    }

    /// A delivery of the team.
    pub async fn delivery_get(&self, team: TeamId, id: DeliveryId) -> Result<Option<Delivery>> {
        let sql = concat!("SELECT ", columns!(), " FROM notification_deliveries WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// The attempts of a delivery, the oldest first.
    pub async fn attempt_list(&self, team: TeamId, id: DeliveryId) -> Result<Vec<Attempt>> {
        let sql =
            "SELECT a.number, a.at, a.duration_ms, a.status, a.error, a.excerpt FROM notification_attempts a JOIN notification_deliveries d
            ON d.id = a.delivery_id WHERE d.team_id = $1 AND d.id = $2 ORDER BY a.number";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_all(pool).await)?)
    }

    /// Returns the number of waiting deliveries of all teams. For metrics.
    pub async fn delivery_pending_count(&self) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM notification_deliveries WHERE state = 'pending'";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).fetch_one(pool).await)?)
    }

    /// Deliveries of all teams that were due before a moment and have no job any more, because it was discarded or each worker died of it.
    pub async fn delivery_list_stranded(&self, due_before: Timestamp) -> Result<Vec<Delivery>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM notification_deliveries WHERE state = 'pending' AND next_attempt_at < $1
              AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.subject_id = notification_deliveries.id AND jobs.state IN ('pending', 'running'))
              ORDER BY next_attempt_at LIMIT 100"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(due_before).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Adds a delivery.
    pub async fn delivery_insert(&mut self, delivery: &Delivery) -> Result<()> {
        let sql = concat!(
            "INSERT INTO notification_deliveries (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        );
        tx!(self, |conn| sqlx::query(sql)
            .bind(delivery.id)
            .bind(delivery.team_id)
            .bind(delivery.channel_id)
            .bind(delivery.recipient_id)
            .bind(delivery.event)
            .bind(delivery.event_at)
            .bind(Json(&delivery.data))
            .bind(delivery.state)
            .bind(delivery.tries)
            .bind(delivery.attempts)
            .bind(delivery.next_attempt_at)
            .bind(&delivery.error)
            .bind(delivery.finished_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Writes an attempt at a delivery that waits, and how the delivery stands since.
    pub async fn delivery_attempted(&mut self, team: TeamId, id: DeliveryId, end: &AttemptEnd) -> Result<()> {
        let sql = "UPDATE notification_deliveries SET state = $3, tries = tries + 1, attempts = attempts + 1, next_attempt_at = $4, error = $5,
            finished_at = $6 WHERE team_id = $1 AND id = $2 AND state = 'pending' RETURNING attempts";
        let finished_at = (end.state != DeliveryState::Pending).then(now);
        let number: Option<i64> = tx!(self, |conn| sqlx::query_scalar(sql)
            .bind(team)
            .bind(id)
            .bind(end.state)
            .bind(end.next_attempt_at)
            .bind(&end.attempt.error)
            .bind(finished_at)
            .fetch_optional(conn)
            .await)?;
        let number = number.ok_or(StoreError::Changed)?;
        let Attempt { at, duration_ms, status, error, excerpt, .. } = &end.attempt;
        let sql = "INSERT INTO notification_attempts (delivery_id, number, at, duration_ms, status, error, excerpt)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(id)
            .bind(number)
            .bind(at)
            .bind(duration_ms)
            .bind(status)
            .bind(error)
            .bind(excerpt)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Moves the next attempt at a delivery that waits.
    pub async fn delivery_postpone(&mut self, team: TeamId, id: DeliveryId, until: Timestamp) -> Result<()> {
        let sql = "UPDATE notification_deliveries SET next_attempt_at = $3 WHERE team_id = $1 AND id = $2 AND state = 'pending'";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(until))?;
        expect_one(done, StoreError::Changed)
    }

    /// Gives up a delivery that waits; `false` when it does not.
    pub async fn delivery_give_up(&mut self, team: TeamId, id: DeliveryId, reason: &str) -> Result<bool> {
        let sql = "UPDATE notification_deliveries SET state = 'failed', next_attempt_at = NULL, error = $3, finished_at = $4
            WHERE team_id = $1 AND id = $2 AND state = 'pending'";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(reason).bind(now()))?;
        Ok(done == 1)
    }

    /// Gives up all that waits for a channel.
    pub async fn delivery_give_up_all(&mut self, team: TeamId, channel: ChannelId, reason: &str) -> Result<()> {
        let sql = "UPDATE notification_deliveries SET state = 'failed', next_attempt_at = NULL, error = $3, finished_at = $4
            WHERE team_id = $1 AND channel_id = $2 AND state = 'pending'";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(channel).bind(reason).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Lets a delivery that ended wait for its first attempt again; `false` when it waits already, or is not there.
    pub async fn delivery_replay(&mut self, team: TeamId, id: DeliveryId, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE notification_deliveries SET state = 'pending', tries = 0, next_attempt_at = $3, finished_at = NULL
            WHERE team_id = $1 AND id = $2 AND state <> 'pending'";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(at))?;
        Ok(done == 1)
    }

    /// Lets up to `limit` of a channel's deliveries that failed, of what happened since a moment, wait for their first attempt again: the
    /// oldest first. Returns which.
    pub async fn delivery_replay_failed(
        &mut self,
        team: TeamId,
        channel: ChannelId,
        since: Timestamp,
        at: Timestamp,
        limit: i64,
    ) -> Result<Vec<DeliveryId>> {
        let sql = "UPDATE notification_deliveries SET state = 'pending', tries = 0, next_attempt_at = $4, finished_at = NULL
            WHERE team_id = $1 AND state = 'failed' AND id IN (SELECT d.id FROM notification_deliveries d WHERE d.team_id = $1
                AND d.channel_id = $2 AND d.state = 'failed' AND d.event_at >= $3 ORDER BY d.id LIMIT $5 + 0) RETURNING id";
        let mut ids: Vec<DeliveryId> = tx!(self, |conn| sqlx::query_scalar(sql)
            .bind(team)
            .bind(channel)
            .bind(since)
            .bind(at)
            .bind(limit)
            .fetch_all(conn)
            .await)?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// Deletes what ended before a moment, and what is left of channels that are gone.
    pub async fn delivery_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM notification_deliveries WHERE finished_at < $1
            OR NOT EXISTS (SELECT 1 FROM notification_channels c WHERE c.id = notification_deliveries.channel_id)";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
