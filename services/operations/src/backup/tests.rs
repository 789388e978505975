use std::io::Write;

use services_core::{MasterKey, Sealer};
use store::{Store, newest_schema};
use tempfile::TempDir;

use super::sealed::SealedWriter;
use super::*;

/// A prepared installation in a database of its own.
struct House {
    _directory: TempDir,
    store: Store,
    sealer: Sealer,
}

impl House {
    async fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::sqlite(&directory.path().join("test.db")).await.unwrap();
        let sealer = Sealer::new(MasterKey::from_hex(&"07".repeat(32)).unwrap());
        Self { _directory: directory, store, sealer }
    }

    async fn new() -> Self {
        let house = Self::empty().await;
        house.store.migrate().await.unwrap();
        services_identity::prepare(&house.store, &house.sealer).await.unwrap();
        house
    }

    async fn backup(&self) -> (Vec<u8>, Sums) {
        let mut file = Vec::new();
        let (_, sums) = write(&self.store, &self.sealer, &mut file, |_| {}).await.unwrap();
        (file, sums)
    }

    async fn restore(&self, file: &[u8], replace: bool) -> Result<Restored, BackupError> {
        restore(&self.store, &self.sealer, file, replace, |_| {}).await
    }

    /// A file with these lines, sealed well.
    fn sealed(&self, lines: &[String]) -> Vec<u8> {
        let mut writer = SealedWriter::new(Vec::new(), &self.sealer).unwrap();
        for line in lines {
            writeln!(writer, "{line}").unwrap();
        }
        writer.finish().unwrap()
    }
}

fn head(schema: i64) -> String {
    format!(r#"{{"head":{{"program":"9.9.9","schema":{schema},"taken_at":"2026-11-23T10:00:00Z"}}}}"#)
}

#[tokio::test]
async fn a_backup_restores_into_an_empty_database_and_replaces_another_only_when_told() {
    let (file, sums) = House::new().await.backup().await;
    assert!(sums.tables().any(|(table, sum)| table == "users" && sum.rows == 1), "{sums:?}");
    let empty = House::empty().await;
    let restored = empty.restore(&file, false).await.unwrap();
    assert_eq!((restored.sums, restored.head.schema), (sums.clone(), newest_schema()));
    assert_eq!(empty.backup().await.1, sums);
    let other = House::new().await;
    let before = other.backup().await.1;
    assert!(matches!(other.restore(&file, false).await, Err(BackupError::InUse)));
    assert_eq!(other.backup().await.1, before);
    other.restore(&file, true).await.unwrap();
    assert_eq!(other.backup().await.1, sums);
}

#[tokio::test]
async fn a_backup_with_a_changed_byte_leaves_the_database_as_it_was() {
    let house = House::new().await;
    let (file, sums) = house.backup().await;
    for place in [0, 9, 30, 60, file.len() / 2, file.len() - 1] {
        let mut changed = file.clone();
        changed[place] ^= 1;
        assert!(house.restore(&changed, true).await.is_err(), "byte {place}");
    }
    assert!(matches!(house.restore(&file[..file.len() - 1], true).await, Err(BackupError::Damaged(_))));
    assert_eq!(house.backup().await.1, sums);
}

#[tokio::test]
async fn lines_that_are_no_backup_are_refused_although_they_are_sealed_well() {
    let house = House::new().await;
    let before = house.backup().await.1;
    let newest = head(newest_schema());
    let table = r#"{"table":{"name":"installation","columns":[["name","text"],["value","text"]]}}"#.to_owned();
    let row = r#"["a","b"]"#.to_owned();
    let end = r#"{"end":{}}"#.to_owned();
    let wrong: [&[&String]; 9] = [
        &[],
        &[&table],
        &[&newest],
        &[&newest, &row, &end],
        &[&newest, &table, &row],
        // One row too many for its trailer, a row twice, a value too few, and something after the end.
        &[&newest, &table, &row, &end],
        &[&newest, &table, &row, &row, &end],
        &[&newest, &table, &table, &r#"["a"]"#.to_owned(), &end],
        &[&newest, &end, &end],
    ];
    for lines in wrong {
        let lines: Vec<String> = lines.iter().map(|line| (*line).clone()).collect();
        let error = house.restore(&house.sealed(&lines), true).await.unwrap_err();
        assert!(matches!(error, BackupError::Damaged(_)), "{lines:?}: {error}");
    }
    for unknown in [r#"{"table":{"name":"robert","columns":[]}}"#, r#"{"table":{"name":"users","columns":[["id","uuid"]]}}"#] {
        let file = house.sealed(&[newest.clone(), unknown.to_owned(), end.clone()]);
        assert!(matches!(house.restore(&file, true).await, Err(BackupError::Damaged(_))), "{unknown}");
    }
    let newer = house.sealed(&[head(newest_schema() + 1), end.clone()]);
    assert!(matches!(house.restore(&newer, true).await, Err(BackupError::Newer)));
    assert_eq!(house.backup().await.1, before);
    house.restore(&house.sealed(&[newest, end]), true).await.unwrap();
}

#[tokio::test]
async fn nothing_is_written_without_an_installation_or_under_another_key() {
    let mut file = Vec::new();
    let empty = House::empty().await;
    let error = write(&empty.store, &empty.sealer, &mut file, |_| {}).await.unwrap_err();
    assert!(matches!(error, BackupError::Absent), "{error}");
    let other = Sealer::new(MasterKey::from_hex(&"08".repeat(32)).unwrap());
    let house = House::new().await;
    let error = write(&house.store, &other, &mut file, |_| {}).await.unwrap_err();
    assert!(matches!(error, BackupError::OtherKey), "{error}");
    assert!(file.is_empty());
}
