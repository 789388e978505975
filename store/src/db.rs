use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::time::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Result;

/// Timeout of connecting to PostgreSQL, and of waiting for a connection of the pool.
const CONNECT: Duration = Duration::from_secs(10);

/// Runs the same body on whichever pool the store has.
macro_rules! db {
    ($store:expr, |$pool:ident| $body:expr) => {
        match &$store.db {
            $crate::db::Db::Postgres($pool) => $body,
            $crate::db::Db::Sqlite { pool: $pool, .. } => $body,
        }
    };
}

/// Runs the same body on whichever connection the transaction has.
macro_rules! tx {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match &mut $tx.0 {
            $crate::db::Open::Postgres(open) => {
                let $conn = &mut **open;
                $body
            }
            $crate::db::Open::Sqlite { open, .. } => {
                let $conn = &mut **open;
                $body
            }
        }
    };
}

/// Runs a statement on whichever connection the transaction has, and counts the rows that it changed.
macro_rules! changed {
    ($tx:expr, $query:expr) => {
        tx!($tx, |conn| $query.execute(conn).await.map(|done| done.rows_affected()))
    };
}

#[derive(Clone)]
pub(crate) enum Db {
    Postgres(PgPool),
    /// SQLite takes one writer at a time. Waiting for it in the process is fair and quick; waiting in SQLite is neither.
    Sqlite {
        pool: SqlitePool,
        writer: Arc<Mutex<()>>,
    },
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Db,
}

pub(crate) enum Open {
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
    Sqlite { open: sqlx::Transaction<'static, sqlx::Sqlite>, _writer: Option<OwnedMutexGuard<()>> },
}

/// Lock on work that only one process does at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Taking back jobs and keeping invariants.
    Sweep = 0x6d63_0001,
    /// Creating what a first start creates.
    FirstStart = 0x6d63_0002,
    /// Looking at schedules, and at what should have happened.
    Watch = 0x6d63_0003,
    /// Choosing which artifacts are given up.
    Retention = 0x6d63_0004,
    /// Making and removing the keys of access tokens.
    SigningKeys = 0x6d63_0005,
    /// Naming teams.
    TeamNames = 0x6d63_0006,
}

/// A write transaction. Dropped without [`Tx::commit`], nothing of it happened.
pub struct Tx(pub(crate) Open);

impl Store {
    /// Opens a SQLite file, making it if there is none. The schema is not touched: see [`Store::migrate`].
    pub async fn sqlite(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit survives the death of the process; only the loss of power may take the last ones.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            // A whole page of a list passes to the reader at once: the default of 50 rows would stop at the row that says "more".
            .row_buffer_size(256)
            .pragma("cache_size", "-1024")
            .pragma("journal_size_limit", "16777216");
        let pool = SqlitePoolOptions::new()
            .max_connections(6)
            .min_connections(1)
            // A file does not hang up: to ask it before each query would only pass each query between two threads once more.
            .test_before_acquire(false)
            .idle_timeout(Duration::from_mins(1))
            // SQLite ends a transaction by itself when the disk is full or fails. The driver's own end of it fails then, and it takes the
            // connection to be within that transaction for ever: such a one is not used again.
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options)
            .await?;
        Ok(Self { db: Db::Sqlite { pool, writer: Arc::default() } })
    }

    /// Connects to PostgreSQL. `connections` is the size of the pool.
    pub async fn postgres(url: &str, connections: u32) -> Result<Self> {
        let options: PgConnectOptions = url.parse()?;
        let options = options
            .application_name("mikrocloud")
            // A process that is stopped in the middle of a transaction must not keep its locks from the others.
            .options([("idle_in_transaction_session_timeout", "10s")]);
        // A pool would only say that it waited in vain, and not for what.
        let first = tokio::time::timeout(CONNECT, options.connect()).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        first.close().await?;
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(CONNECT).connect_with(options).await?;
        Ok(Self { db: Db::Postgres(pool) })
    }

    /// The database's clock, which all processes of an installation share; `None` where there is one process.
    pub async fn clock(&self) -> Result<Option<Timestamp>> {
        match &self.db {
            Db::Postgres(pool) => Ok(Some(sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await?)),
            Db::Sqlite { .. } => Ok(None),
        }
    }

    /// Returns true if the database accepts no writes, as a standby does.
    pub async fn is_read_only(&self) -> Result<bool> {
        match &self.db {
            Db::Postgres(pool) => {
                let sql = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'";
                Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
            }
            Db::Sqlite { .. } => Ok(false),
        }
    }

    /// Checks that the database answers.
    pub async fn ping(&self) -> Result<()> {
        db!(self, |pool| sqlx::query("SELECT 1").execute(pool).await.map(drop))?;
        Ok(())
    }

    /// Begins a write transaction.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx(match &self.db {
            Db::Postgres(pool) => Open::Postgres(pool.begin().await?),
            Db::Sqlite { pool, writer } => {
                let guard = Arc::clone(writer).lock_owned().await;
                Open::Sqlite { open: pool.begin_with("BEGIN IMMEDIATE").await?, _writer: Some(guard) }
            }
        }))
    }

    /// Closes every connection, so that SQLite folds its log into the file.
    pub async fn close(&self) {
        db!(self, |pool| pool.close().await);
    }
}

impl Tx {
    /// Takes a lock that only one transaction of all processes has, waiting for it; it ends with the transaction.
    pub async fn lock(&mut self, lock: Lock) -> Result<()> {
        if let Open::Postgres(open) = &mut self.0 {
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock as i64).execute(&mut **open).await?;
        }
        Ok(())
    }

    /// Takes a lock that only one transaction of all processes has; it ends with the transaction. `false` when another has it.
    pub async fn try_lock(&mut self, lock: Lock) -> Result<bool> {
        match &mut self.0 {
            Open::Postgres(open) => {
                let sql = "SELECT pg_try_advisory_xact_lock($1)";
                Ok(sqlx::query_scalar(sql).bind(lock as i64).fetch_one(&mut **open).await?)
            }
            // One writer at a time, in one process.
            Open::Sqlite { .. } => Ok(true),
        }
    }

    /// Makes all of it happen. Within [`crate::operations::idempotency::once`] only as long as the request's lease stands.
    pub async fn commit(mut self) -> Result<()> {
        if let Some(lease) = crate::operations::idempotency::shown() {
            self.idempotency_carry_out(&lease).await?;
        }
        match self.0 {
            Open::Postgres(open) => open.commit().await?,
            Open::Sqlite { open, _writer } => open.commit().await?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;

    #[tokio::test]
    async fn a_transaction_that_sqlite_ends_by_itself_spoils_no_later_one() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::sqlite(&directory.path().join("test.db")).await.unwrap();
        for _ in 0..20 {
            let mut tx = store.begin().await.unwrap();
            // What SQLite does after some errors (https://www.sqlite.org/lang_transaction.html, section 3).
            tx!(&mut tx, |connection| sqlx::query("ROLLBACK").execute(connection).await.map(drop)).unwrap();
        }
        store.begin().await.unwrap().commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_is_told_from_other_faults() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::sqlite(&directory.path().join("test.db")).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let mut last = Ok(());
        for sql in ["PRAGMA max_page_count = 8", "CREATE TABLE t (x)", "INSERT INTO t VALUES (zeroblob(100000))"] {
            last = tx!(&mut tx, |connection| sqlx::query(sql).execute(connection).await.map(drop));
        }
        let error = StoreError::from(last.unwrap_err());
        assert!(matches!(error, StoreError::DiskFull) && error.is_retryable(), "{error:?}");
    }
}
