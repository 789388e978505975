//! Channels.

use domain::id::{ChannelId, ProjectId, TeamId, UserId};
use domain::notification::{Channel, EventTypes, Templates};
use domain::time::{Timestamp, now};
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

macro_rules! columns {
    () => {
        "id, team_id, project_id, name, kind, events, templates, sealed, recipients, shown, enabled, disabled_reason, failing_since, \
         paused_until, created_by, created_at, updated_at"
    };
}

/// Change of a channel; all of its fields are written.
#[derive(Debug, Clone)]
pub struct ChannelEdit {
    /// Its name.
    pub name: String,
    /// Events that it is notified of.
    pub events: EventTypes,
    /// Texts of its own.
    pub templates: Templates,
    /// The sealed address and secrets.
    pub sealed: Option<Vec<u8>>,
    /// The members that are written to.
    pub recipients: Vec<UserId>,
    /// As much of the address as may be shown.
    pub shown: String,
}

/// Health of a channel, as attempts to deliver reveal it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelHealth {
    /// Time since which every attempt fails.
    pub failing_since: Option<Timestamp>,
    /// Time until which the receiver asked to receive nothing.
    pub paused_until: Option<Timestamp>,
}

impl Store {
    /// The channels of a team, by name.
    pub async fn channel_list(&self, team: TeamId) -> Result<Vec<Channel>> {
        let sql = concat!("SELECT ", columns!(), " FROM notification_channels WHERE team_id = $1 ORDER BY name, id");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_all(pool).await)?)
    }

    /// A channel of the team.
    pub async fn channel_get(&self, team: TeamId, id: ChannelId) -> Result<Option<Channel>> {
        let sql = concat!("SELECT ", columns!(), " FROM notification_channels WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }
}

impl Tx {
    /// The channels that are enabled and concern a project of the team's, or, without one, all of the team.
    pub async fn channel_list_enabled(&mut self, team: TeamId, project: Option<ProjectId>) -> Result<Vec<Channel>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM notification_channels WHERE team_id = $1 AND enabled AND (project_id IS NULL OR project_id = $2) ORDER BY id"
        );
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(project).fetch_all(conn).await)?)
    }

    /// A channel of the team, as it is in this transaction.
    pub async fn channel_find(&mut self, team: TeamId, id: ChannelId) -> Result<Option<Channel>> {
        let sql = concat!("SELECT ", columns!(), " FROM notification_channels WHERE team_id = $1 AND id = $2");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }

    /// The channels that are limited to a project of the team's.
    pub async fn channel_list_of_project(&mut self, team: TeamId, project: ProjectId) -> Result<Vec<ChannelId>> {
        let sql = "SELECT id FROM notification_channels WHERE team_id = $1 AND project_id = $2";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(project).fetch_all(conn).await)?)
    }

    /// Returns the number of a team's channels. Callers that add one hold the team's lock.
    pub async fn channel_count(&mut self, team: TeamId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM notification_channels WHERE team_id = $1";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).fetch_one(conn).await)?)
    }

    /// Adds a channel; refused with [`StoreError::Exists`] when there is one of its name.
    pub async fn channel_insert(&mut self, channel: &Channel) -> Result<()> {
        let sql = concat!(
            "INSERT INTO notification_channels (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        );
        tx!(self, |conn| sqlx::query(sql)
            .bind(channel.id)
            .bind(channel.team_id)
            .bind(channel.project_id)
            .bind(&channel.name)
            .bind(channel.kind)
            .bind(Json(&channel.events))
            .bind(Json(&channel.templates))
            .bind(&channel.sealed)
            .bind(Json(&channel.recipients))
            .bind(&channel.shown)
            .bind(channel.enabled)
            .bind(&channel.disabled_reason)
            .bind(channel.failing_since)
            .bind(channel.paused_until)
            .bind(channel.created_by)
            .bind(channel.created_at)
            .bind(channel.updated_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Changes a channel that was not changed since `seen`; [`StoreError::Changed`] otherwise, [`StoreError::Exists`] when the name is taken.
    pub async fn channel_update(&mut self, team: TeamId, id: ChannelId, seen: Timestamp, edit: &ChannelEdit) -> Result<()> {
        let sql =
            "UPDATE notification_channels SET name = $4, events = $5, templates = $6, sealed = $7, recipients = $8, shown = $9,
            updated_at = $10 WHERE team_id = $1 AND id = $2 AND updated_at = $3";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(team)
                .bind(id)
                .bind(seen)
                .bind(&edit.name)
                .bind(Json(&edit.events))
                .bind(Json(&edit.templates))
                .bind(&edit.sealed)
                .bind(Json(&edit.recipients))
                .bind(&edit.shown)
                .bind(now())
        )?;
        expect_one(done, StoreError::Changed)
    }

    /// Enables a channel, as if nothing had ever failed, or disables it, with the reason where MikroCloud does it; `false` when it is
    /// not there, or is so already.
    pub async fn channel_enable(&mut self, team: TeamId, id: ChannelId, enabled: bool, reason: Option<&str>) -> Result<bool> {
        let sql =
            "UPDATE notification_channels SET enabled = $3, disabled_reason = $4, failing_since = NULL, paused_until = NULL, updated_at = $5
            WHERE team_id = $1 AND id = $2 AND enabled <> $3";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(enabled).bind(reason).bind(now()))?;
        Ok(done == 1)
    }

    /// Writes what an attempt told of a channel.
    pub async fn channel_health(&mut self, team: TeamId, id: ChannelId, health: ChannelHealth) -> Result<()> {
        let sql = "UPDATE notification_channels SET failing_since = $3, paused_until = $4 WHERE team_id = $1 AND id = $2";
        let ChannelHealth { failing_since, paused_until } = health;
        tx!(self, |conn| sqlx::query(sql)
            .bind(team)
            .bind(id)
            .bind(failing_since)
            .bind(paused_until)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Deletes a channel; `false` when it is not there. What was on its way to it goes with the next purge.
    pub async fn channel_delete(&mut self, team: TeamId, id: ChannelId) -> Result<bool> {
        let sql = "DELETE FROM notification_channels WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id))?;
        Ok(done == 1)
    }
}
