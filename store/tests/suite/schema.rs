//! Migrations and opening.

use std::path::{Path, PathBuf};

use store::{SchemaState, Store, StoreError, newest_schema};
use testkit::Database;

use crate::common::open;

testkit::on_both_databases! {
    crate::common::open;

    async fn migrations_can_be_run_again(store: Store) {
        store.migrate().await.unwrap();
        store.ping().await.unwrap();
    }

    async fn a_newer_schema_is_worked_on_where_it_says_so(store: Store, database: &Database) {
        database
            .execute(
                "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                 SELECT 29990101000000, 'from the future', installed_on, success, checksum, execution_time FROM _sqlx_migrations LIMIT 1",
            )
            .await;
        assert_eq!(store.migrate().await.unwrap(), SchemaState::Ahead, "a schema that says nothing was only added to");
        let recorded = async |version: String| {
            database.execute("DELETE FROM installation WHERE name = 'schema_compatible_with'").await;
            let mut tx = store.begin().await.unwrap();
            tx.installation_insert("schema_compatible_with", &version).await.unwrap();
            tx.commit().await.unwrap();
        };
        recorded(newest_schema().to_string()).await;
        assert_eq!(store.migrate().await.unwrap(), SchemaState::Ahead);
        for incompatible in [(newest_schema() + 1).to_string(), "something else".to_owned()] {
            recorded(incompatible).await;
            assert_eq!(store.schema_state().await.unwrap(), SchemaState::Newer);
            assert!(matches!(store.migrate().await, Err(StoreError::NewerSchema)));
        }
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

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// SQLite plans for the value of a bare `LIMIT $1`, and so prepares the statement anew each time it is bound.
#[test]
fn limits_are_bound_in_expressions() {
    let files = files_below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    assert!(files.len() > 40, "only {} files were found", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (place, _) in text.match_indices("LIMIT $") {
            let rest = text[place + 7..].trim_start_matches(|c: char| c.is_ascii_digit());
            let line = text[place..].lines().next().unwrap_or_default();
            assert!(rest.starts_with(" +"), "{}: {line}", file.display());
        }
    }
}

/// The statements of a migration that programs of before could not live with (docs/adr/0011-upgrades.md), in capitals.
fn contractions(sql: &str) -> Vec<String> {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ").to_uppercase();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let statements: Vec<_> = text.split(';').map(words).filter(|statement| !statement.is_empty()).collect();
    let new: Vec<_> =
        statements.iter().filter_map(|statement| statement.strip_prefix("CREATE TABLE ")?.split(' ').next()).collect();
    let contracts = |statement: &&String| {
        let on_new = new.iter().any(|table| statement.contains(&format!(" ON {table} ")));
        let needs_a_value = statement.contains("NOT NULL") && !statement.contains(" DEFAULT ");
        let refuses = ["DROP", "RENAME", "ALTER COLUMN", "ADD CONSTRAINT", "ADD CHECK", "ADD UNIQUE", "ADD FOREIGN KEY"];
        statement.starts_with("DROP TABLE")
            || (statement.starts_with("CREATE UNIQUE INDEX") && !on_new)
            || (statement.starts_with("ALTER TABLE") && (needs_a_value || refuses.iter().any(|word| statement.contains(word))))
    };
    statements.iter().filter(contracts).cloned().collect()
}

#[test]
fn contractions_are_recognised() {
    for expands in [
        "CREATE TABLE t (a TEXT NOT NULL);",
        "ALTER TABLE t ADD COLUMN b TEXT; -- DROP TABLE t;",
        "ALTER TABLE t ADD COLUMN b TEXT NOT NULL DEFAULT 'x'; CREATE INDEX i ON t (b);",
        "CREATE TABLE t (a TEXT); CREATE UNIQUE INDEX i ON t (a); DROP INDEX j;",
    ] {
        assert!(contractions(expands).is_empty(), "{expands}");
    }
    for contracts in [
        "CREATE TABLE u (a TEXT);\nDROP TABLE t;",
        "ALTER TABLE t\n  drop column a;",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE t ADD COLUMN b TEXT NOT NULL;",
        "ALTER TABLE t ALTER COLUMN b SET NOT NULL;",
        "CREATE UNIQUE INDEX i ON t (b);",
    ] {
        assert_eq!(contractions(contracts).len(), 1, "{contracts}");
    }
}

/// An index that refuses what the claims of programs of before are already prepared to be refused: they take the job for excluded.
const HARMLESS: &str = "CREATE UNIQUE INDEX JOBS_EXCLUSION_HELD";

/// Before this schema no program was released that has to go on.
const FIRST_SCHEMA: i64 = 20_261_123_000_008;

#[test]
fn a_migration_that_takes_something_away_says_which_programs_can_go_on() {
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let files = ["", "/postgres", "/sqlite"].map(|own| std::fs::read_dir(format!("{migrations}{own}")).unwrap());
    for file in files.into_iter().flatten().map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let version: i64 = name.split('_').next().unwrap().parse().unwrap();
        let sql = std::fs::read_to_string(&file).unwrap();
        let mut taken = contractions(&sql);
        taken.retain(|statement| !statement.starts_with(HARMLESS));
        assert!(
            version <= FIRST_SCHEMA || taken.is_empty() || sql.contains("schema_compatible_with"),
            "programs of before cannot live with {name}, and it does not record `schema_compatible_with`: {taken:?}"
        );
    }
}

#[test]
fn what_is_written_for_one_database_is_written_for_the_other() {
    let names = |own: &str| {
        let directory = std::fs::read_dir(format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/{}"), own)).unwrap();
        directory.map(|file| file.unwrap().file_name()).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names("postgres"), names("sqlite"));
}
