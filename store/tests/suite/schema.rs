//! Migrations and opening.

use store::{Store, StoreError};
use testkit::Database;

use crate::common::open;

testkit::on_both_databases! {
    crate::common::open;

    async fn migrations_can_be_run_again(store: Store) {
        store.migrate().await.unwrap();
        store.ping().await.unwrap();
    }

    async fn the_schema_of_a_newer_version_is_refused(store: Store, database: &Database) {
        database
            .execute(
                "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                 SELECT 29990101000000, 'from the future', installed_on, success, checksum, execution_time FROM _sqlx_migrations LIMIT 1",
            )
            .await;
        assert!(matches!(store.migrate().await, Err(StoreError::NewerSchema)));
    }

    async fn a_closed_store_has_kept_everything(store: Store, database: &Database) {
        let mut tx = store.begin().await.unwrap();
        tx.installation_insert("kept", "yes").await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;
        if let Database::Sqlite { file, .. } = database {
            assert!(!file.with_extension("db-wal").exists(), "closing folds the log into the file");
        }
        assert_eq!(open(database).await.installation_get("kept").await.unwrap().as_deref(), Some("yes"));
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("text.db");
    std::fs::write(&file, "no database, but long enough to be looked at as one".repeat(100)).unwrap();
    assert!(Store::sqlite(&file).await.is_err());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("no database"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_may_migrate_a_server_at_once() {
    // A SQLite file belongs to one process: the lock on its data directory sees to that.
    if let Some(database) = Database::postgres().await {
        let stores = tokio::join!(open(&database), open(&database), open(&database), open(&database));
        assert_eq!(stores.3.user_count().await.unwrap(), 0);
    }
}

/// SQLite plans for the value of a bare `LIMIT $1`, and so prepares the statement anew each time it is bound.
#[test]
fn limits_are_bound_in_expressions() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    for file in files.map(|file| file.unwrap().path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (place, _) in text.match_indices("LIMIT $") {
            let rest = text[place + 7..].trim_start_matches(|c: char| c.is_ascii_digit());
            let line = text[place..].lines().next().unwrap_or_default();
            assert!(rest.starts_with(" +"), "{}: {line}", file.display());
        }
    }
}
