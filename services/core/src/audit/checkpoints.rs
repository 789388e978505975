//! Checkpoints: signed statements of how a log was at some moment.

use audit::{Checkpoint, Tip, VERSION};
use chrono::TimeDelta;
use domain::id::TeamId;
use domain::time::now;
use store::{AuditCheckpointRow, Tx};

use super::Auditor;
use crate::AuditLog;
use crate::{Result, ServiceError};

/// After so many entries a checkpoint is signed, and after this time if there is any new one.
const ENTRIES: i64 = 1000;
const EVERY: TimeDelta = TimeDelta::hours(1);

impl Auditor {
    /// Signs the end of a team's log, which stays locked until the transaction ends, unless that was done already. `None` where there is
    /// nothing to sign.
    pub(crate) async fn checkpoint(&self, tx: &mut Tx, team: TeamId) -> Result<Option<Tip>> {
        let Some(head) = tx.audit_head(team, None, None).await?.filter(|head| head.last_sequence > 0) else { return Ok(None) };
        let tip = Tip { sequence: head.last_sequence, hash: head.last_hash };
        if tx.audit_checkpoint_sequence(team).await? == tip.sequence {
            return Ok(Some(tip));
        }
        let at = now();
        let signed = self.signer().sign(Checkpoint { v: VERSION, team, tip: tip.clone(), at }).map_err(ServiceError::internal)?;
        let statement = signed.text().map_err(ServiceError::internal)?;
        tx.audit_key_put(&signed.key.to_string(), at).await?;
        let row = AuditCheckpointRow { sequence: tip.sequence, hash: tip.hash.clone(), statement, at };
        tx.audit_checkpoint_insert(team, &row).await?;
        Ok(Some(tip))
    }
}

impl AuditLog {
    /// Signs the end of a team's log in this transaction. Returns what was signed; `None` where there is nothing to sign.
    pub async fn sign(&self, tx: &mut Tx, team: TeamId) -> Result<Option<Tip>> {
        self.inner.auditor.checkpoint(tx, team).await
    }

    /// Signs the logs that have grown by enough, or for long enough. Of several processes that are at it, one signs and the others find
    /// that it is done.
    pub async fn sign_checkpoints(&self) -> Result<()> {
        for team in self.store().audit_list_unsigned(ENTRIES, now() - EVERY).await? {
            let mut tx = self.begin().await?;
            self.sign(&mut tx, team).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
