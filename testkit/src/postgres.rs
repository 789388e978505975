//! A private PostgreSQL. Under nextest `tests/setup/postgres` starts one for the whole run; under plain `cargo test` each test program
//! starts its own with the same script. Either stops when whoever started it is gone.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::setup::{self, failed};

const VARIABLE: &str = "MIKROCLOUD_TEST_POSTGRES";

static CLUSTER: OnceCell<Option<String>> = OnceCell::const_new();

/// The URL of a new, empty database. `None` where PostgreSQL is not installed, which is said on standard error.
///
/// # Panics
/// When PostgreSQL does not start or answer, and under `CI=true` also when it is not installed.
pub async fn database() -> Option<String> {
    let cluster =
        CLUSTER.get_or_init(async || std::env::var(VARIABLE).ok().or_else(|| setup::run("postgres", VARIABLE))).await.as_ref()?;
    let name = format!("test_{}", Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(cluster).await.unwrap_or_else(failed("connect to the private PostgreSQL"));
    let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    connection.execute(sql).await.unwrap_or_else(failed("create a database"));
    connection.close().await.unwrap_or_else(failed("close a connection"));
    Some(cluster.replacen("/postgres?", &format!("/{name}?"), 1))
}
