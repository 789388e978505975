//! All rows of all tables, out of one database and into another, whatever the engine.

#[macro_use]
mod cells;
mod load;
mod snapshot;

use futures::TryStreamExt;
use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::db::Tx;
use crate::error::{Result, StoreError};

pub use cells::CellKind;
pub use load::Loading;
pub use snapshot::Snapshot;

/// Every table, each after those that it refers to.
pub const TABLES: [&str; 67] = [
    "installation",
    "key_rotations",
    "users",
    "teams",
    "roles",
    "memberships",
    "team_keys",
    "api_keys",
    "sessions",
    "refresh_tokens",
    "signin_links",
    "sign_in_attempts",
    "security_events",
    "signing_keys",
    "second_factors",
    "recovery_codes",
    "sign_in_flows",
    "device_logins",
    "identities",
    "invitations",
    "projects",
    "environments",
    "role_grants",
    "environment_variables",
    "artifacts",
    "uploads",
    "deployments",
    "approvals",
    "deployment_events",
    "log_lines",
    "log_archives",
    "queues",
    "jobs",
    "job_failures",
    "resources",
    "cloud_accounts",
    "cloud_bases",
    "placements",
    "deployment_targets",
    "cloud_resources",
    "local_workloads",
    "local_routes",
    "edges",
    "edge_observations",
    "edge_routes",
    "schedules",
    "expected_runs",
    "alerts",
    "git_connections",
    "git_deliveries",
    "git_installations",
    "previews",
    "git_reports",
    "notification_channels",
    "notification_deliveries",
    "notification_attempts",
    "letters",
    "idempotency_keys",
    "audit_keys",
    "audit_chains",
    "audit_entries",
    "audit_checkpoints",
    "domains",
    "acme_accounts",
    "acme_certificates",
    "acme_orders",
    "acme_challenges",
];

/// A column and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Kind of its content.
    pub kind: CellKind,
}

/// A row: a value for each column, in the columns' order.
pub type Row = Vec<Value>;

impl Tx {
    /// The columns of a table, in the order in which migrations made them; none where there is no such table.
    async fn columns(&mut self, table: &str) -> Result<Vec<Column>> {
        let sql = match &self.0 {
            crate::db::Open::Postgres(_) => {
                "SELECT column_name::text, data_type::text FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
            }
            crate::db::Open::Sqlite { .. } => "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
        };
        let named: Vec<(String, String)> = tx!(self, |conn| sqlx::query_as(sql).bind(table).fetch_all(conn).await)?;
        let column = |(name, kind): (String, String)| match CellKind::of(&kind) {
            Some(kind) => Ok(Column { name, kind }),
            None => Err(StoreError::Database(sqlx::Error::Decode(format!("{table}.{name}: {kind} is not backed up").into()))),
        };
        named.into_iter().map(column).collect()
    }

    /// Reads every row of a table, in no order, and hands each to `take`.
    async fn rows<E: From<StoreError>>(
        &mut self,
        table: &str,
        columns: &[Column],
        mut take: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        let names: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let sql = AssertSqlSafe(format!("SELECT {} FROM \"{table}\"", names.join(", ")));
        tx!(self, |conn| {
            let mut rows = sqlx::query(sql).fetch(conn);
            while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
                let mut cells = Vec::with_capacity(columns.len());
                for (place, column) in columns.iter().enumerate() {
                    cells.push(read_cell!(row, place, column.kind).map_err(StoreError::from)?);
                }
                take(cells)?;
            }
        });
        Ok(())
    }
}
