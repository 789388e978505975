//! Going through all that is sealed.

use std::collections::HashSet;
use std::time::Duration;

use domain::id::TeamId;
use store::sealed::{SEALED, SealedColumn, SealedRow};

use super::{Progress, RotationError, Run};

/// Number of rows that are resealed in one transaction: few enough that nobody waits for it.
const BATCH: usize = 50;

/// Pause for other writers between two batches: with SQLite a writer that only waits does not get in.
const PAUSE: Duration = Duration::from_millis(5);

/// Progress of a pass.
#[derive(Debug, Default)]
pub struct Pass {
    /// Number of values that were resealed.
    pub sealed: usize,
    /// Number of values that no key opens, as the last pass found.
    pub broken: usize,
}

impl Run<'_> {
    /// Seals anew what is not sealed by the present keys. Answers how many values that were.
    pub(super) async fn seal_all(&self, pass: &mut Pass, progress: &mut impl FnMut(Progress)) -> Result<usize, RotationError> {
        let mut rows = Vec::new();
        for column in SEALED {
            rows.extend(self.store.sealed_rows(column).await?.into_iter().map(|row| (column, row)));
        }
        let (of, before) = (rows.len(), pass.sealed);
        pass.broken = 0;
        for (number, batch) in rows.chunks(BATCH).enumerate() {
            self.seal_batch(batch, pass).await?;
            progress(Progress::Sealing { done: of.min((number + 1) * BATCH), of });
            tokio::time::sleep(PAUSE).await;
        }
        Ok(pass.sealed - before)
    }

    async fn seal_batch(&self, batch: &[(&SealedColumn, SealedRow)], pass: &mut Pass) -> Result<(), RotationError> {
        let teams: HashSet<TeamId> = batch.iter().filter_map(|(_, row)| row.team).collect();
        for team in teams {
            // What does not open is told of by row, below.
            let _ = self.sealer.prepare(self.store, team).await;
        }
        let mut sealed_now = 0;
        let mut tx = self.transaction().await?;
        for (column, row) in batch {
            let Some(old) = tx.sealed_get(column, row).await? else { continue };
            match self.sealer.sealed_anew(self.store, column, row, &old).await {
                Ok(Some(new)) => sealed_now += usize::from(tx.sealed_put(column, row, &old, &new).await?),
                Ok(None) => {}
                Err(error) => {
                    let (table, identity) = (column.table, column.identity(row));
                    tracing::error!(table, identity, error = jobs::handler::chain(&error), "a sealed value opens with no key");
                    pass.broken += 1;
                }
            }
        }
        tx.commit().await?;
        pass.sealed += sealed_now;
        Ok(())
    }
}
