//! Reading everything as it was at one moment.

use super::{Column, Row};
use crate::db::{Db, Open, Store, Tx};
use crate::error::{Result, StoreError};

/// Snapshot of the database at one moment, whatever is written meanwhile.
pub struct Snapshot(Tx);

impl Store {
    /// Takes a snapshot. Writers go on beside it.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let open = match &self.db {
            Db::Postgres(pool) => Open::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?),
            Db::Sqlite { pool, .. } => Open::Sqlite { open: pool.begin().await?, _writer: None },
        };
        Ok(Snapshot(Tx(open)))
    }
}

impl Snapshot {
    /// The version of the schema.
    pub async fn schema(&mut self) -> Result<i64> {
        let sql = "SELECT version FROM _sqlx_migrations ORDER BY version DESC LIMIT 1";
        Ok(tx!(self.0, |conn| sqlx::query_scalar(sql).fetch_one(conn).await)?)
    }

    /// The columns of a table; none where this schema has no such table.
    pub async fn columns(&mut self, table: &str) -> Result<Vec<Column>> {
        self.0.columns(table).await
    }

    /// Hands every row of a table to `take`, in no order.
    pub async fn rows<E: From<StoreError>>(
        &mut self,
        table: &str,
        columns: &[Column],
        take: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.rows(table, columns, take).await
    }
}
