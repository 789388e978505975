//! Entries that are older than is kept go, the oldest first and only up to a checkpoint: what stays begins with something signed.

use audit::{Action, AuditOutcome};
use chrono::{DurationRound, TimeDelta};
use domain::id::TeamId;
use domain::time::Timestamp;
use store::Store;

use super::{AuditEntry, By, append};
use crate::AuditLog;
use crate::Result;

/// Number of entries that are deleted in one transaction.
const AT_ONCE: i64 = 5000;

impl AuditLog {
    /// Deletes what is older than is kept at this time. Once a day at most for each team: that entries went is an entry, too.
    pub async fn expire(&self, at: Timestamp) -> Result<()> {
        let Some(keep) = self.inner.settings.keep_audit_entries else { return Ok(()) };
        let before = at - keep;
        let before = before.duration_trunc(TimeDelta::days(1)).unwrap_or(before);
        for team in self.store().audit_list_older(before).await? {
            while expire_some(self.store(), team, before, AT_ONCE).await? {}
        }
        Ok(())
    }
}

/// Deletes some of a team's entries from before this moment; whether there may be more.
pub(super) async fn expire_some(store: &Store, team: TeamId, before: Timestamp, limit: i64) -> Result<bool> {
    let mut tx = store.begin().await?;
    // The lock of the chain first: whoever else is at it finds less afterwards.
    tx.audit_head(team, None, None).await?;
    let Some(checkpoint) = tx.audit_retirable(team, before, limit).await? else { return Ok(false) };
    let gone = tx.audit_retire(team, checkpoint).await?;
    let change = AuditEntry::new(Action::AuditExpire)
        .detail("entries", gone)
        .detail("up_to", checkpoint)
        .detail("before", before.to_rfc3339());
    append(&mut tx, team, &By::nobody(), change, AuditOutcome::Done).await?;
    tx.commit().await?;
    tracing::info!(team.id = %team, entries = gone, up_to = checkpoint, "entries of the audit log are no longer kept");
    Ok(true)
}
