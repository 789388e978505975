//! Webhooks from Git hosts, and their outcomes.

use domain::git_host::{HostEvent, WebhookDelivery, WebhookDeliveryState};
use domain::id::{DeploymentId, GitConnectionId, GitDeliveryId, TeamId};
use domain::time::Timestamp;
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::Result;
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, team_id, connection_id, delivery, event, state, outcome, deployment_id, received_at"
    };
}

/// A message that has just come.
#[derive(Debug, Clone)]
pub struct NewWebhookDelivery {
    /// Displayed part of the delivery.
    pub row: WebhookDelivery,
    /// The digest of its body.
    pub digest: String,
    /// Event that it reports.
    pub event: HostEvent,
    /// The branch or pull request that it is about.
    pub subject: Option<String>,
}

/// Result of processing a delivery.
#[derive(Debug, Clone)]
pub struct WebhookDeliveryOutcome {
    /// State of the webhook.
    pub state: WebhookDeliveryState,
    /// Outcome of the delivery, for people.
    pub outcome: String,
    /// The deployment that came of it.
    pub deployment_id: Option<DeploymentId>,
}

impl Store {
    /// Lists the webhooks from a connection's host, the latest first, below an id, if one is given.
    pub async fn git_delivery_list(
        &self,
        team: TeamId,
        connection: GitConnectionId,
        after: Option<GitDeliveryId>,
        limit: i64,
    ) -> Result<Page<WebhookDelivery>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM git_deliveries WHERE team_id = $1 AND connection_id = $2 AND (CAST($3 AS UUID) IS NULL OR id < $3)
              ORDER BY id DESC LIMIT $4 + 1"
        );
        let rows =
            db!(self, |pool| sqlx::query_as(sql).bind(team).bind(connection).bind(after).bind(limit).fetch_all(pool).await)?;
        Ok(Page::from_rows(rows, limit))
    }

    /// A delivery of the team.
    pub async fn git_delivery_get(&self, team: TeamId, id: GitDeliveryId) -> Result<Option<WebhookDelivery>> {
        let sql = concat!("SELECT ", columns!(), " FROM git_deliveries WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// Returns the event that a delivery of the team reports.
    pub async fn git_delivery_event(&self, team: TeamId, id: GitDeliveryId) -> Result<Option<HostEvent>> {
        let sql = "SELECT happening FROM git_deliveries WHERE team_id = $1 AND id = $2";
        let found: Option<Json<HostEvent>> =
            db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(id).fetch_optional(pool).await)?;
        Ok(found.map(|Json(event)| event))
    }
}

impl Tx {
    /// Writes down what a host told; `false` when it told that already, by its id of it or by its words.
    pub async fn git_delivery_insert(&mut self, delivery: &NewWebhookDelivery) -> Result<bool> {
        let sql =
            "INSERT INTO git_deliveries (id, team_id, connection_id, delivery, digest, event, happening, subject, happened_at,
                state, outcome, received_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
        let row = &delivery.row;
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(row.id)
                .bind(row.team_id)
                .bind(row.connection_id)
                .bind(&row.delivery)
                .bind(&delivery.digest)
                .bind(&row.event)
                .bind(Json(&delivery.event))
                .bind(&delivery.subject)
                .bind(delivery.event.at.unwrap_or(row.received_at))
                .bind(row.state)
                .bind(&row.outcome)
                .bind(row.received_at)
        )?;
        Ok(done == 1)
    }

    /// Returns true if a later event of the same branch or pull request was processed already.
    pub async fn git_delivery_is_overtaken(&mut self, team: TeamId, id: GitDeliveryId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM git_deliveries d JOIN git_deliveries l
                ON l.connection_id = d.connection_id AND l.subject = d.subject AND l.state = 'done'
            WHERE d.team_id = $1 AND d.id = $2
                AND (l.happened_at > d.happened_at OR (l.happened_at = d.happened_at AND l.id > d.id)))";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(id).fetch_one(conn).await)?)
    }

    /// Records what came of a delivery.
    pub async fn git_delivery_end(&mut self, team: TeamId, id: GitDeliveryId, outcome: &WebhookDeliveryOutcome) -> Result<()> {
        let sql = "UPDATE git_deliveries SET state = $3, outcome = $4, deployment_id = $5 WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql)
            .bind(team)
            .bind(id)
            .bind(outcome.state)
            .bind(&outcome.outcome)
            .bind(outcome.deployment_id)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Forgets what was told before a moment.
    pub async fn git_delivery_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM git_deliveries WHERE received_at < $1";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
