//! Writing a backup.

use std::io::Write;

use domain::time::now;
use services_core::Sealer;
use services_identity::KEY_FINGERPRINT;
use store::dump::TABLES;
use store::{SchemaState, Store};

use super::sealed::SealedWriter;
use super::{BackupError, Head, Line, Sums};

/// Writes everything that the database holds at this moment into `out`, sealed. `progress` is told how many rows are written. Returns
/// what was written; `out` is not flushed to disk.
pub async fn write(
    store: &Store,
    sealer: &Sealer,
    out: impl Write,
    mut progress: impl FnMut(u64),
) -> Result<(Head, Sums), BackupError> {
    if !store.is_in_use().await? {
        return Err(BackupError::Absent);
    }
    // A schema from before keys could be changed says nothing about that.
    if store.schema_state().await? != SchemaState::Behind {
        sealer.look(store).await?;
    }
    if sealer.is_changing() {
        return Err(BackupError::KeyChanging);
    }
    match store.installation_get(KEY_FINGERPRINT).await? {
        // A backup is of use only with the key that opens the secrets in it.
        Some(recorded) if !sealer.is_of(&recorded) => return Err(BackupError::OtherKey),
        Some(_) => {}
        None => return Err(BackupError::Absent),
    }
    let mut snapshot = store.snapshot().await?;
    let head =
        Head { program: env!("CARGO_PKG_VERSION").to_owned(), schema: snapshot.schema().await?, taken_at: now().to_rfc3339() };
    if head.schema > store::newest_schema() {
        return Err(store::StoreError::NewerSchema.into());
    }
    let mut out = SealedWriter::new(out, sealer)?;
    line(&mut out, &Line::Head(head.clone()))?;
    let (mut sums, mut written) = (Sums::default(), 0);
    for table in TABLES {
        let columns = snapshot.columns(table).await?;
        if columns.is_empty() {
            continue;
        }
        let named = columns.iter().map(|column| (column.name.clone(), column.kind)).collect();
        line(&mut out, &Line::Table { name: table.to_owned(), columns: named })?;
        snapshot
            .rows(table, &columns, |row| {
                let text = serde_json::Value::Array(row).to_string();
                sums.add(table, &text);
                written += 1;
                progress(written);
                writeln!(out, "{text}").map_err(BackupError::from)
            })
            .await?;
    }
    line(&mut out, &Line::End(sums.clone()))?;
    out.finish()?.flush()?;
    Ok((head, sums))
}

fn line(out: &mut impl Write, line: &Line) -> Result<(), BackupError> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}
