//! The schema of the database, and how it stands to this program's (docs/adr/0011-upgrades.md).

use std::sync::LazyLock;

use sqlx::migrate::{MigrateError, Migrator};

use crate::db::{Db, Store};
use crate::error::{Result, StoreError};

/// Migrations that both databases share.
static COMMON: Migrator = sqlx::migrate!("../migrations");

/// All migrations of PostgreSQL: triggers are written in each database's own language.
pub(crate) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| with(&sqlx::migrate!("../migrations/postgres")));
/// All migrations of SQLite.
pub(crate) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| with(&sqlx::migrate!("../migrations/sqlite")));

fn with(own: &Migrator) -> Migrator {
    Migrator::with_migrations(COMMON.iter().chain(own.iter()).cloned().collect())
}

/// The fact that a migration records when programs before it cannot work on its schema: the version of the oldest schema whose programs
/// can. Without it every program can.
const COMPATIBLE_WITH: &str = "schema_compatible_with";

/// Compatibility of a database's schema with this program's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// `migrate` has to run first.
    Behind,
    /// As it should be.
    Current,
    /// A newer program made it, and says that this one can work on it.
    Ahead,
    /// A newer program made it, and this one cannot work on it.
    Newer,
}

/// The version of the newest schema that this program knows.
pub fn newest_schema() -> i64 {
    POSTGRES.iter().map(|migration| migration.version).max().unwrap_or(0)
}

impl Store {
    /// Brings the schema up to date and says how it stands then: [`SchemaState::Current`], or [`SchemaState::Ahead`] when there was nothing
    /// to do. Refuses a schema that this program cannot work on.
    pub async fn migrate(&self) -> Result<SchemaState> {
        match self.schema_state().await? {
            SchemaState::Ahead => return Ok(SchemaState::Ahead),
            SchemaState::Newer => return Err(StoreError::NewerSchema),
            SchemaState::Behind | SchemaState::Current => {}
        }
        let done = match &self.db {
            Db::Postgres(pool) => POSTGRES.run(pool).await,
            Db::Sqlite { pool, .. } => SQLITE.run(pool).await,
        };
        match done {
            Ok(()) => Ok(SchemaState::Current),
            // A newer program was quicker.
            Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => match self.schema_state().await? {
                SchemaState::Ahead => Ok(SchemaState::Ahead),
                _ => Err(StoreError::NewerSchema),
            },
            Err(other) => Err(StoreError::Migrate(other)),
        }
    }

    /// Returns the compatibility of the database's schema with this program's.
    pub async fn schema_state(&self) -> Result<SchemaState> {
        let table = match &self.db {
            Db::Postgres(_) => "SELECT to_regclass('_sqlx_migrations') IS NOT NULL",
            Db::Sqlite { .. } => "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')",
        };
        let exists: bool = db!(self, |pool| sqlx::query_scalar(table).fetch_one(pool).await)?;
        if !exists {
            return Ok(SchemaState::Behind);
        }
        let sql = "SELECT version FROM _sqlx_migrations ORDER BY version DESC LIMIT 1";
        let version: Option<i64> = db!(self, |pool| sqlx::query_scalar(sql).fetch_optional(pool).await)?;
        let newest = newest_schema();
        Ok(match version.unwrap_or(0).cmp(&newest) {
            std::cmp::Ordering::Less => SchemaState::Behind,
            std::cmp::Ordering::Equal => SchemaState::Current,
            std::cmp::Ordering::Greater if self.oldest_compatible_schema().await? <= newest => SchemaState::Ahead,
            std::cmp::Ordering::Greater => SchemaState::Newer,
        })
    }

    async fn oldest_compatible_schema(&self) -> Result<i64> {
        let recorded = self.installation_get(COMPATIBLE_WITH).await?;
        // What this program does not understand, it does not work on.
        Ok(recorded.map_or(0, |version| version.parse().unwrap_or(i64::MAX)))
    }
}
