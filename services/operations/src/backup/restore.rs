//! Restoring a backup.

use std::io::{self, BufRead, BufReader, Read};

use services_core::Sealer;
use store::dump::{Column, Loading, Row, TABLES};
use store::{Store, newest_schema};

use super::sealed::SealedReader;
use super::{BackupError, Head, Line, Sums};

/// Number of rows that are written at once.
const BATCH: usize = 500;

/// Result of a restore.
#[derive(Debug)]
pub struct Restored {
    /// Description of the backup.
    pub head: Head,
    /// Number of rows of each table in the backup, all of which are in the database now.
    pub sums: Sums,
}

/// Two installations must not drive one account, and nobody here knows whether the backed up one still runs.
const PAUSED: &str =
    "it comes from a backup, and the installation that was backed up may still be using it: verify it to take it over";

/// Makes the database hold what the backup says, and nothing else: all of it, or it stays as it was. Every table is counted and digested
/// in the database before that is made to happen, and compared with the backup. A backup with an older schema is brought up to this
/// program's. `replace` allows a database that has users. `progress` is told how many rows are read.
pub async fn restore(
    store: &Store,
    sealer: &Sealer,
    from: impl Read,
    replace: bool,
    progress: impl FnMut(u64),
) -> Result<Restored, BackupError> {
    let others = store.other_connections().await?;
    if others > 0 {
        return Err(BackupError::Connected(others));
    }
    if !replace && store.is_in_use().await? {
        return Err(BackupError::InUse);
    }
    let mut lines = Lines { from: BufReader::new(SealedReader::new(from, sealer)?), text: String::new(), progress, read: 0 };
    let Some(Entry::Line(Line::Head(head))) = lines.next()? else {
        return Err(BackupError::damaged("it does not begin with its head"));
    };
    if head.schema > newest_schema() {
        return Err(BackupError::Newer);
    }
    let mut loading = store.load(head.schema).await?;
    let sums = load(&mut loading, &mut lines).await?;
    let found = sums_of(&mut loading).await?;
    if let Some(table) = sums.difference(&found) {
        return Err(BackupError::damaged(format!("the rows of `{table}` are not those that were backed up")));
    }
    loading.finish(PAUSED).await?;
    Ok(Restored { head, sums })
}

/// Loads the tables, and returns what the backup says of them.
async fn load<R: Read, P: FnMut(u64)>(loading: &mut Loading, lines: &mut Lines<R, P>) -> Result<Sums, BackupError> {
    let mut table: Option<(&str, Vec<Column>)> = None;
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let line = lines.next()?.ok_or_else(|| BackupError::damaged("its end is missing"))?;
        if let (Some((name, columns)), true) = (&table, rows.len() >= BATCH || !matches!(line, Entry::Row(_))) {
            loading.insert(name, columns, &rows).await.map_err(unfit)?;
            rows.clear();
        }
        match line {
            Entry::Row(row) => match &table {
                Some((_, columns)) if columns.len() == row.len() => rows.push(row),
                _ => return Err(BackupError::damaged("a row does not belong to a table")),
            },
            Entry::Line(Line::Table { name, columns }) => {
                let columns: Vec<_> = columns.into_iter().map(|(name, kind)| Column { name, kind }).collect();
                let known = TABLES.into_iter().find(|table| *table == name);
                match known {
                    Some(known) if loading.columns(known).await? == columns => table = Some((known, columns)),
                    _ => return Err(BackupError::damaged(format!("the table `{name}` is not of its schema"))),
                }
            }
            Entry::Line(Line::End(sums)) => {
                return match lines.next()? {
                    None => Ok(sums),
                    Some(_) => Err(BackupError::damaged("something follows its end")),
                };
            }
            Entry::Line(Line::Head(_)) => return Err(BackupError::damaged("it begins twice")),
        }
    }
}

/// Returns the present content of the database, as sums.
async fn sums_of(loading: &mut Loading) -> Result<Sums, BackupError> {
    let mut sums = Sums::default();
    for table in TABLES {
        let columns = loading.columns(table).await?;
        if !columns.is_empty() {
            let add = |row| {
                sums.add(table, &serde_json::Value::Array(row).to_string());
                Ok::<_, BackupError>(())
            };
            loading.rows(table, &columns, add).await?;
        }
    }
    Ok(sums)
}

/// Rows that the database does not take are no fault of the database.
fn unfit(error: store::StoreError) -> BackupError {
    if error.is_connection_lost() || matches!(error, store::StoreError::DiskFull) {
        return error.into();
    }
    BackupError::damaged(jobs::handler::chain(&error))
}

/// A line of a backup.
enum Entry {
    Line(Line),
    Row(Row),
}

struct Lines<R: Read, P: FnMut(u64)> {
    from: BufReader<SealedReader<R>>,
    text: String,
    progress: P,
    read: u64,
}

impl<R: Read, P: FnMut(u64)> Lines<R, P> {
    /// The next line; `None` after the last.
    fn next(&mut self) -> Result<Option<Entry>, BackupError> {
        self.text.clear();
        let read = self.from.read_line(&mut self.text).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => BackupError::damaged(error),
            _ => BackupError::Io(error),
        })?;
        if read == 0 {
            return Ok(None);
        }
        if !self.text.starts_with('[') {
            return Ok(Some(Entry::Line(serde_json::from_str(&self.text).map_err(BackupError::damaged)?)));
        }
        self.read += 1;
        (self.progress)(self.read);
        Ok(Some(Entry::Row(serde_json::from_str(&self.text).map_err(BackupError::damaged)?)))
    }
}
