//! Runs one test body on both databases.

use std::path::PathBuf;

use store::Store;
use tempfile::TempDir;

/// Where a test's database is, so that it can be opened a second time or looked into.
pub enum Place {
    /// A file in a directory that goes with the test.
    Sqlite(TempDir),
    /// The URL of a database of its own.
    Postgres(String),
}

impl Place {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// `None` where PostgreSQL is not installed.
    pub async fn postgres() -> Option<Self> {
        testkit::postgres::database().await.map(Self::Postgres)
    }

    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(directory) => Some(directory.path().join("test.db")),
            Self::Postgres(_) => None,
        }
    }

    pub async fn open(&self) -> Store {
        match self {
            Self::Sqlite(directory) => Store::sqlite(&directory.path().join("test.db")).await.unwrap(),
            Self::Postgres(url) => Store::postgres(url, 16).await.unwrap(),
        }
    }

    /// Runs SQL that the store has no function for, such as what a newer version or a fault would leave.
    pub async fn execute(&self, sql: &'static str) {
        use sqlx::Connection;
        match self {
            Self::Sqlite(_) => {
                let url = format!("sqlite://{}", self.file().unwrap().display());
                let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
                sqlx::query(sql).execute(&mut connection).await.unwrap();
            }
            Self::Postgres(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::query(sql).execute(&mut connection).await.unwrap();
            }
        }
    }
}

/// Each body becomes two tests, `name::on_sqlite` and `name::on_postgres`. It is given a migrated store, and the place of the
/// database where it asks for it.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($store:ident: $kind:ty $(, $place:ident: &Place)?) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn run(place: &crate::common::Place) {
                let $store: $kind = place.open().await;
                $store.migrate().await.unwrap();
                $(let $place = place;)?
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                run(&crate::common::Place::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(place) = crate::common::Place::postgres().await {
                    run(&place).await;
                }
            }
        }
    )+};
}
