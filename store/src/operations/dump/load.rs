//! Making a database hold what a backup says: all of it or nothing.

use sqlx::AssertSqlSafe;
use sqlx::migrate::MigrateError;

use super::{CellKind, Column, Row, TABLES};
use crate::db::{Open, Store, Tx};
use crate::error::{Result, StoreError};
use crate::schema::{POSTGRES, SQLITE, newest_schema};

/// Number of rows that one statement inserts.
const BATCH: usize = 50;

/// A database that is being loaded, in one transaction. Dropped without [`Loading::finish`], it is as it was.
pub struct Loading(Tx);

impl Store {
    /// Empties the database, whatever schema it has, and gives it the schema of this version.
    pub async fn load(&self, schema: i64) -> Result<Loading> {
        if !POSTGRES.version_exists(schema) {
            return Err(StoreError::NewerSchema);
        }
        let mut loading = Loading(self.begin().await?);
        for table in TABLES.iter().rev().chain(&["_sqlx_migrations"]) {
            let sql = AssertSqlSafe(format!("DROP TABLE IF EXISTS \"{table}\""));
            tx!(loading.0, |conn| sqlx::query(sql).execute(conn).await.map(drop))?;
        }
        loading.migrate(schema).await?;
        // What migrations write into new tables is in the backup, too.
        for table in TABLES.iter().rev() {
            if !loading.columns(table).await?.is_empty() {
                let sql = AssertSqlSafe(format!("DELETE FROM \"{table}\""));
                tx!(loading.0, |conn| sqlx::query(sql).execute(conn).await.map(drop))?;
            }
        }
        Ok(loading)
    }

    /// Returns the number of MikroCloud's other connections to this database; 0 for SQLite, whose lock is on its directory.
    pub async fn other_connections(&self) -> Result<i64> {
        let crate::db::Db::Postgres(pool) = &self.db else { return Ok(0) };
        let sql = "SELECT COUNT(*) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'mikrocloud' AND pid <> pg_backend_pid()";
        Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
    }

    /// Returns true if there is a schema with users in it.
    pub async fn is_in_use(&self) -> Result<bool> {
        let columns = self.snapshot().await?.columns("users").await?;
        Ok(!columns.is_empty() && self.user_count().await? > 0)
    }
}

impl Loading {
    /// The columns of a table; none where this schema has no such table.
    pub async fn columns(&mut self, table: &str) -> Result<Vec<Column>> {
        self.0.columns(table).await
    }

    /// Writes rows into a table.
    pub async fn insert(&mut self, table: &str, columns: &[Column], rows: &[Row]) -> Result<()> {
        for rows in rows.chunks(BATCH) {
            let sql = insert_sql(table, columns, rows.len());
            tx!(self.0, |conn| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (column, cell) in rows.iter().flat_map(|row| columns.iter().zip(row)) {
                    query = bind_cell!(query, column.kind, cell);
                }
                query.execute(conn).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Hands every row of a table as it stands now to `take`, in no order.
    pub async fn rows<E: From<StoreError>>(
        &mut self,
        table: &str,
        columns: &[Column],
        take: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.rows(table, columns, take).await
    }

    /// Brings the schema up to this program's, pauses accounts at vendors of clouds for this reason, and makes all of it happen.
    pub async fn finish(mut self, why_paused: &str) -> Result<()> {
        self.migrate(newest_schema()).await?;
        self.0.cloud_account_pause_all(why_paused).await?;
        self.0.commit().await
    }

    async fn migrate(&mut self, version: i64) -> Result<()> {
        let done: Result<(), MigrateError> = match &mut self.0.0 {
            Open::Postgres(open) => POSTGRES.run_direct(Some(version), &mut **open, false).await,
            Open::Sqlite { open, .. } => SQLITE.run_direct(Some(version), &mut **open, false).await,
        };
        done.map_err(StoreError::Migrate)
    }
}

/// `INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)`
fn insert_sql(table: &str, columns: &[Column], rows: usize) -> String {
    let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let row = |row: usize| {
        let places: Vec<_> = (1..=columns.len()).map(|place| format!("${}", row * columns.len() + place)).collect();
        format!("({})", places.join(", "))
    };
    let values: Vec<_> = (0..rows).map(row).collect();
    format!("INSERT INTO \"{table}\" ({}) VALUES {}", names.join(", "), values.join(", "))
}
