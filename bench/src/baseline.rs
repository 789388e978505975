//! The plainest server that answers the list query: an axum handler over sqlx.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use domain::id::{ProjectId, TeamId};
use domain::time::Timestamp;
use serde::{Serialize, Serializer};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::net::TcpListener;

#[derive(Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: ProjectId,
    #[sqlx(rename = "name")]
    slug: String,
    #[serde(serialize_with = "as_graphql_does")]
    created_at: Timestamp,
}

/// With `+00:00`, where chrono's own form ends in `Z`.
fn as_graphql_does<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.to_rfc3339())
}

#[derive(Serialize)]
struct Projects {
    nodes: Vec<Node>,
}

struct Database {
    pool: SqlitePool,
    team: TeamId,
    tuned: bool,
}

/// Serves `/` from this database until killed; with the settings of MikroCloud's own store, or as sqlx does it when nothing is said.
pub async fn serve(file: PathBuf, tuned: bool) -> Result<()> {
    let (mut options, mut pool) = (SqliteConnectOptions::new().filename(file), SqlitePoolOptions::new().max_connections(6));
    if tuned {
        options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .row_buffer_size(256)
            .pragma("cache_size", "-1024");
        pool = pool.test_before_acquire(false);
    }
    let pool = pool.connect_with(options).await?;
    let team = sqlx::query_scalar("SELECT team_id FROM projects LIMIT 1").fetch_one(&pool).await?;
    let router = Router::new().route("/", get(projects)).with_state(Arc::new(Database { pool, team, tuned }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ready http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn projects(State(database): State<Arc<Database>>) -> Result<Json<Projects>, StatusCode> {
    // SQLite prepares a statement with a bound `LIMIT` anew each time.
    let nodes = if database.tuned {
        let sql = "SELECT id, name, created_at FROM projects WHERE team_id = $1 ORDER BY id DESC LIMIT 50";
        sqlx::query_as(sql).bind(database.team).fetch_all(&database.pool).await
    } else {
        let sql = "SELECT id, name, created_at FROM projects WHERE team_id = $1 ORDER BY id DESC LIMIT $2";
        sqlx::query_as(sql).bind(database.team).bind(50_i64).fetch_all(&database.pool).await
    };
    Ok(Json(Projects { nodes: nodes.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)? }))
}
