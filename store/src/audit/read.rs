//! Looking into a log.

use domain::id::TeamId;
use domain::time::Timestamp;
use futures::TryStreamExt;

use super::{AuditActor, AuditCheckpointRow, AuditFilter, AuditKeyRow, AuditRow};
use crate::db::Store;
use crate::error::Result;
use crate::page::Page;

const RANGE: &str = "SELECT sequence, entry, hash FROM audit_entries WHERE team_id = $1 AND sequence > $2 AND sequence <= $3
    ORDER BY sequence LIMIT 0 + $4";

impl Store {
    /// A page of a team's entries, newest first; those before an entry, if one is given.
    pub async fn audit_list(
        &self,
        team: TeamId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Page<AuditRow>> {
        let rows = db!(self, |pool| {
            let mut sql = sqlx::QueryBuilder::new("SELECT sequence, entry, hash FROM audit_entries WHERE team_id = ");
            sql.push_bind(team);
            if let Some(before) = before {
                sql.push(" AND sequence < ").push_bind(before);
            }
            if let Some(since) = filter.since {
                sql.push(" AND at >= ").push_bind(since);
            }
            if let Some(until) = filter.until {
                sql.push(" AND at < ").push_bind(until);
            }
            match &filter.actor {
                Some(AuditActor::User(user)) => {
                    sql.push(" AND user_id = ").push_bind(*user);
                }
                Some(AuditActor::Email(email)) => {
                    sql.push(" AND email = ").push_bind(email.clone());
                }
                Some(AuditActor::Credential(id)) => {
                    sql.push(" AND credential_id = ").push_bind(id.clone());
                }
                None => {}
            }
            if let Some(action) = &filter.action {
                // What follows the dot is a letter, so these are all that begin with the noun and its dot.
                sql.push(" AND (action = ").push_bind(action.clone());
                sql.push(" OR (action > ").push_bind(format!("{action}."));
                sql.push(" AND action < ").push_bind(format!("{action}/"));
                sql.push("))");
            }
            if let Some(target) = &filter.target {
                sql.push(" AND (target_id = ").push_bind(target.clone());
                sql.push(" OR target_name = ").push_bind(target.clone()).push(")");
            }
            if let Some(outcome) = filter.outcome {
                sql.push(" AND outcome = ").push_bind(outcome);
            }
            sql.push(" ORDER BY sequence DESC LIMIT 1 + ").push_bind(limit);
            sql.build_query_as().fetch_all(pool).await
        })?;
        Ok(Page::from_rows(rows, limit))
    }

    /// Up to `limit` entries of a team after one and up to another, in order.
    pub async fn audit_range(&self, team: TeamId, after: i64, to: i64, limit: i64) -> Result<Vec<AuditRow>> {
        Ok(db!(self, |pool| sqlx::query_as(RANGE).bind(team).bind(after).bind(to).bind(limit).fetch_all(pool).await)?)
    }

    /// The same, and no more than it takes to fill so many bytes: entries differ much in size.
    pub async fn audit_page(&self, team: TeamId, after: i64, to: i64, limit: i64, bytes: usize) -> Result<Vec<AuditRow>> {
        let (mut rows, mut filled) = (Vec::new(), 0);
        db!(self, |pool| {
            let mut found = sqlx::query_as::<_, AuditRow>(RANGE).bind(team).bind(after).bind(to).bind(limit).fetch(pool);
            while filled < bytes
                && let Some(row) = found.try_next().await?
            {
                filled += row.entry.len();
                rows.push(row);
            }
        });
        Ok(rows)
    }

    /// The checkpoints of a team after an entry and up to another, in order.
    pub async fn audit_checkpoint_range(&self, team: TeamId, after: i64, to: i64) -> Result<Vec<AuditCheckpointRow>> {
        let sql = "SELECT sequence, hash, statement, at FROM audit_checkpoints
            WHERE team_id = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(after).bind(to).fetch_all(pool).await)?)
    }

    /// The last checkpoint of a team up to an entry.
    pub async fn audit_checkpoint_up_to(&self, team: TeamId, sequence: i64) -> Result<Option<AuditCheckpointRow>> {
        let sql = "SELECT sequence, hash, statement, at FROM audit_checkpoints
            WHERE team_id = $1 AND sequence <= $2 ORDER BY sequence DESC LIMIT 1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(sequence).fetch_optional(pool).await)?)
    }

    /// The first checkpoint of a team that covers an entry.
    pub async fn audit_checkpoint_from(&self, team: TeamId, sequence: i64) -> Result<Option<AuditCheckpointRow>> {
        let sql = "SELECT sequence, hash, statement, at FROM audit_checkpoints
            WHERE team_id = $1 AND sequence >= $2 ORDER BY sequence LIMIT 1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(sequence).fetch_optional(pool).await)?)
    }

    /// The number of the first entry at or after a moment.
    pub async fn audit_first_since(&self, team: TeamId, at: Timestamp) -> Result<Option<i64>> {
        let sql = "SELECT MIN(sequence) FROM audit_entries WHERE team_id = $1 AND at >= $2";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(at).fetch_one(pool).await)?)
    }

    /// The number of the last entry before a moment.
    pub async fn audit_last_before(&self, team: TeamId, at: Timestamp) -> Result<Option<i64>> {
        let sql = "SELECT MAX(sequence) FROM audit_entries WHERE team_id = $1 AND at < $2";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(at).fetch_one(pool).await)?)
    }

    /// The number of the first entry that is kept of a team's log; the next one where none is.
    pub async fn audit_first_kept(&self, team: TeamId) -> Result<Option<i64>> {
        let sql = "SELECT first_sequence FROM audit_chains WHERE team_id = $1";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).fetch_optional(pool).await)?)
    }

    /// The keys that signed checkpoints of this installation, oldest first.
    pub async fn audit_key_list(&self) -> Result<Vec<AuditKeyRow>> {
        let sql = "SELECT public_key, created_at FROM audit_keys ORDER BY created_at, public_key";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }

    /// The teams whose log has at least so many entries that no checkpoint covers, or any at all since a checkpoint that is older than this
    /// moment.
    pub async fn audit_list_unsigned(&self, entries: i64, before: Timestamp) -> Result<Vec<TeamId>> {
        let sql = "SELECT team_id FROM audit_chains WHERE last_sequence - checkpoint_sequence >= $1
            OR (last_sequence > checkpoint_sequence AND checkpoint_at <= $2)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(entries).bind(before).fetch_all(pool).await)?)
    }

    /// The teams that have entries from before this moment.
    pub async fn audit_list_older(&self, before: Timestamp) -> Result<Vec<TeamId>> {
        let sql =
            "SELECT c.team_id FROM audit_chains c JOIN audit_entries e ON e.team_id = c.team_id AND e.sequence = c.first_sequence
            WHERE e.at < $1";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(before).fetch_all(pool).await)?)
    }
}
