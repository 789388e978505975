//! Exports: page after page, so that none is ever whole in memory.

use audit::{Action, EntryLine, ExportHead, Tip, VERSION, genesis, ocsf};
use domain::access::{Actor, Permission};
use domain::time::{Timestamp, now};
use serde_json::json;

use super::query::parsed;
use super::{AuditEntry, record};
use crate::AuditLog;
use crate::{Result, ServiceError, require};

/// Maximum number of entries on a page, and its approximate size in bytes.
const ROWS: i64 = 1000;
const BYTES: usize = 1 << 20;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Entries and checkpoints as they are, which can be verified.
    JsonLines,
    /// Events of the Open Cybersecurity Schema Framework.
    Ocsf,
}

/// Parameters of a new export of the log.
#[derive(Debug, Clone, Copy)]
pub struct NewExport {
    /// The form.
    pub format: ExportFormat,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// An export that was begun: its pages can be asked for.
#[derive(Debug, Clone)]
pub struct StartedExport {
    /// The first line; none for events.
    pub head: Option<String>,
    /// After which entry it begins.
    pub after: i64,
    /// With which entry it ends.
    pub to: i64,
}

/// A page of an export.
#[derive(Debug, Clone)]
pub struct ExportPage {
    /// The lines, without their ends.
    pub lines: Vec<String>,
    /// After which entry the next page begins; `None` when this is the last.
    pub next: Option<i64>,
}

impl AuditLog {
    /// Begins an export: that it was made is an entry itself, and a checkpoint is signed that it ends with. What can be verified goes from
    /// checkpoint to checkpoint, so that it may begin a little before, and end a little after, what was asked for.
    pub async fn begin_export(&self, actor: &Actor, new: NewExport) -> Result<StartedExport> {
        let time = |at: Option<Timestamp>| at.map_or(json!(null), |at| json!(at.to_rfc3339()));
        let format = if new.format == ExportFormat::Ocsf { "ocsf" } else { "jsonl" };
        let change = AuditEntry::new(Action::AuditExport)
            .on("audit_log", actor.team_id)
            .detail("format", format)
            .detail("since", time(new.since))
            .detail("until", time(new.until));
        self.audit_denial(actor, &change, require(actor, Permission::AuditRead)).await?;
        if new.since.zip(new.until).is_some_and(|(since, until)| since >= until) {
            return Err(ServiceError::invalid(
                "until",
                "OUT_OF_RANGE",
                "nothing is after `since` and before `until`: turn them round",
            ));
        }
        let mut tx = self.begin().await?;
        record(&mut tx, actor, change).await?;
        let end = self.inner.auditor.checkpoint(&mut tx, actor.team_id).await?;
        tx.commit().await?;
        let end = end.ok_or_else(|| ServiceError::internal("an entry was written and there is none"))?;
        let (first, last) = self.asked_for(actor, new, end.sequence).await?;
        if new.format == ExportFormat::Ocsf {
            return Ok(StartedExport { head: None, after: first - 1, to: last });
        }
        let from = self.tip_before(actor, first).await?;
        let to = if last <= from.sequence { from.clone() } else { self.tip_after(actor, last).await?.unwrap_or(end) };
        let (after, last) = (from.sequence, to.sequence);
        let head = ExportHead { v: VERSION, team: actor.team_id, from, to, at: now() };
        let head = self.inner.auditor.signer().sign(head).and_then(|signed| signed.text()).map_err(ServiceError::internal)?;
        Ok(StartedExport { head: Some(head), after, to: last })
    }

    /// The first and the last entry of a time; the first may be the one after the last.
    async fn asked_for(&self, actor: &Actor, new: NewExport, end: i64) -> Result<(i64, i64)> {
        let first = match new.since {
            Some(since) => self.store().audit_first_since(actor.team_id, since).await?.unwrap_or(end + 1),
            None => self.store().audit_first_kept(actor.team_id).await?.unwrap_or(1),
        };
        let last = match new.until {
            Some(until) => self.store().audit_last_before(actor.team_id, until).await?.unwrap_or(first - 1),
            None => end,
        };
        Ok((first, last.min(end)))
    }

    /// The last signed place before an entry.
    async fn tip_before(&self, actor: &Actor, sequence: i64) -> Result<Tip> {
        let found = self.store().audit_checkpoint_up_to(actor.team_id, sequence - 1).await?;
        let tip = found.map(|row| Tip { sequence: row.sequence, hash: row.hash });
        Ok(tip.unwrap_or_else(|| Tip { sequence: 0, hash: genesis(actor.team_id) }))
    }

    /// The first signed place that covers an entry.
    async fn tip_after(&self, actor: &Actor, sequence: i64) -> Result<Option<Tip>> {
        let found = self.store().audit_checkpoint_from(actor.team_id, sequence).await?;
        Ok(found.map(|row| Tip { sequence: row.sequence, hash: row.hash }))
    }

    /// The lines of an export after an entry and up to another.
    pub async fn export_page(&self, actor: &Actor, format: ExportFormat, after: i64, to: i64) -> Result<ExportPage> {
        require(actor, Permission::AuditRead)?;
        let rows = self.store().audit_page(actor.team_id, after, to, ROWS, BYTES).await?;
        if rows.first().is_some_and(|row| row.sequence != after + 1) || (rows.is_empty() && after < to) {
            let message = format!("entry {} is not kept any more, or not there yet: begin another export", after + 1);
            return Err(ServiceError::invalid("after", "GONE", message));
        }
        let mut lines = Vec::with_capacity(rows.len());
        let last = rows.last().map_or(after, |row| row.sequence);
        let signed = match format {
            ExportFormat::JsonLines => self.store().audit_checkpoint_range(actor.team_id, after, last).await?,
            ExportFormat::Ocsf => Vec::new(),
        };
        let mut signed = signed.into_iter().peekable();
        for row in rows {
            lines.push(match format {
                ExportFormat::JsonLines => EntryLine { canonical: &row.entry, hash: &row.hash }.text(),
                ExportFormat::Ocsf => ocsf::event(&parsed(&row)?, &row.hash).to_string(),
            });
            let follows = signed.next_if(|checkpoint| checkpoint.sequence == row.sequence);
            lines.extend(follows.map(|checkpoint| checkpoint.statement));
        }
        Ok(ExportPage { lines, next: (last < to).then_some(last) })
    }
}
