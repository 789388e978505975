//! One test body on both databases.

use std::path::PathBuf;

use sqlx::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::postgres;

/// Location of a test's own, empty database, so that it can be opened twice or inspected.
pub enum Database {
    /// A file that goes with this value.
    Sqlite {
        /// The file; it is made when it is opened.
        file: PathBuf,
        /// Its directory.
        directory: TempDir,
    },
    /// The URL of a database in the private PostgreSQL.
    Postgres(String),
}

impl Database {
    /// A SQLite file in a new directory.
    ///
    /// # Panics
    /// When no directory can be made.
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("could not make a temporary directory: {error}"));
        Self::Sqlite { file: directory.path().join("test.db"), directory }
    }

    /// A PostgreSQL database; `None` where PostgreSQL is not installed.
    pub async fn postgres() -> Option<Self> {
        postgres::database().await.map(Self::Postgres)
    }

    /// Runs SQL that the code under test has no function for, such as what a fault or a newer version would leave.
    ///
    /// # Panics
    /// When it fails.
    pub async fn execute(&self, sql: &'static str) {
        let done = match self {
            Self::Sqlite { file, .. } => sqlite(file.to_string_lossy().as_ref(), sql).await,
            Self::Postgres(url) => postgres(url, sql).await,
        };
        done.unwrap_or_else(|error| panic!("`{sql}` failed: {error}"));
    }

    /// Returns the database's error if it refuses some SQL; `None` if it does not.
    pub async fn refusal(&self, sql: &'static str) -> Option<String> {
        let done = match self {
            Self::Sqlite { file, .. } => sqlite(file.to_string_lossy().as_ref(), sql).await,
            Self::Postgres(url) => postgres(url, sql).await,
        };
        done.err().map(|error| error.to_string())
    }

    /// The first column of what a query finds, as texts.
    ///
    /// # Panics
    /// When it fails.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        let found = match self {
            Self::Sqlite { file, .. } => {
                let mut connection =
                    SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap_or_else(failed(sql));
                sqlx::query_scalar(sql).fetch_all(&mut connection).await
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap_or_else(failed(sql));
                sqlx::query_scalar(sql).fetch_all(&mut connection).await
            }
        };
        found.unwrap_or_else(failed(sql))
    }
}

fn failed<T>(sql: &str) -> impl FnOnce(sqlx::Error) -> T {
    move |error| panic!("`{sql}` failed: {error}")
}

async fn sqlite(file: &str, sql: &'static str) -> sqlx::Result<()> {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{file}")).await?;
    sqlx::query(sql).execute(&mut connection).await?;
    connection.close().await
}

async fn postgres(url: &str, sql: &'static str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(sql).execute(&mut connection).await?;
    connection.close().await
}

/// Makes two tests of each body, `name::on_sqlite` and `name::on_postgres`. The body is given what the function named first makes of
/// a [`Database`], such as an opened store, and the database itself where it asks for it. Where PostgreSQL is not installed its tests
/// do nothing, which is said on standard error and is a failure under `CI=true`.
#[macro_export]
macro_rules! on_both_databases {
    ($open:path; $(async fn $name:ident($store:ident: $kind:ty $(, $database:ident: &Database)?) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn run(database: &$crate::Database) {
                let $store: $kind = $open(database).await;
                $(let $database = database;)?
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                run(&$crate::Database::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(database) = $crate::Database::postgres().await {
                    run(&database).await;
                }
            }
        }
    )+};
}
