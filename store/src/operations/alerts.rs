//! Alerts.

use domain::alert::Alert;
use domain::id::{AlertId, TeamId};
use domain::time::{Timestamp, now};

use crate::db::{Store, Tx};
use crate::error::Result;
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, team_id, kind, subject, message, raised_at, resolved_at"
    };
}

/// Alerts of teams that last, about domains that are not served for them.
macro_rules! about_no_domain {
    () => {
        "kind = $1 AND resolved_at IS NULL AND team_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM domains d
            WHERE d.name = alerts.subject AND d.team_id = alerts.team_id AND d.verified_at IS NOT NULL)"
    };
}

impl Store {
    /// The team's alerts, the latest first, and with `installation` those of the whole installation; below an id, if one is given.
    pub async fn alert_list(&self, team: TeamId, installation: bool, after: Option<AlertId>, limit: i64) -> Result<Page<Alert>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM alerts WHERE (team_id = $1 OR ($2 AND team_id IS NULL)) AND (CAST($3 AS UUID) IS NULL OR id < $3)
              ORDER BY id DESC LIMIT $4 + 1"
        );
        let rows =
            db!(self, |pool| sqlx::query_as(sql).bind(team).bind(installation).bind(after).bind(limit).fetch_all(pool).await)?;
        Ok(Page::from_rows(rows, limit))
    }

    /// Returns true if an alert of this kind about a team's domain lasts even if the domain is not served for the team, or no
    /// longer.
    pub async fn alert_outlives_domain(&self, kind: &str) -> Result<bool> {
        let sql = concat!("SELECT EXISTS (SELECT 1 FROM alerts WHERE ", about_no_domain!(), ")");
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(kind).fetch_one(pool).await)?)
    }

    /// Returns the number of unresolved alerts of all teams, by kind. For metrics.
    pub async fn alert_open_counts(&self) -> Result<Vec<(String, i64)>> {
        let sql = "SELECT kind, COUNT(*) FROM alerts WHERE resolved_at IS NULL GROUP BY kind";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Raises an alert; `false` when one of its kind and subject lasts already.
    pub async fn alert_raise(&mut self, alert: &Alert) -> Result<bool> {
        let sql = "INSERT INTO alerts (id, team_id, kind, subject, message, raised_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO NOTHING";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(alert.id)
                .bind(alert.team_id)
                .bind(&alert.kind)
                .bind(&alert.subject)
                .bind(&alert.message)
                .bind(alert.raised_at)
        )?;
        Ok(done == 1)
    }

    /// Ends an alert that lasts; nothing happens when there is none.
    pub async fn alert_resolve(&mut self, kind: &str, subject: &str) -> Result<()> {
        let sql = "UPDATE alerts SET resolved_at = $3 WHERE kind = $1 AND subject = $2 AND resolved_at IS NULL";
        tx!(self, |conn| sqlx::query(sql).bind(kind).bind(subject).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Ends alerts of this kind about domains that are not served for their team, or no longer.
    pub async fn alert_resolve_without_domain(&mut self, kind: &str) -> Result<()> {
        let sql = concat!("UPDATE alerts SET resolved_at = $2 WHERE ", about_no_domain!());
        tx!(self, |conn| sqlx::query(sql).bind(kind).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Ends all alerts of this kind that are a team's.
    pub async fn alert_resolve_of_teams(&mut self, kind: &str) -> Result<()> {
        let sql = "UPDATE alerts SET resolved_at = $2 WHERE kind = $1 AND resolved_at IS NULL AND team_id IS NOT NULL";
        tx!(self, |conn| sqlx::query(sql).bind(kind).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes alerts that ended before this moment.
    pub async fn alert_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM alerts WHERE resolved_at < $1";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
