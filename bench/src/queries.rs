//! Throughput of a GraphQL list query, against the plainest handler that does the same.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};

use crate::client;
use crate::load::{Target, compare};
use crate::process::Running;
use crate::report::{Goal, Report};
use crate::server::Mikrocloud;

const QUERY: &str = "{ projects(first: 50) { nodes { id slug createdAt } } }";

/// Asks both for 50 projects.
pub async fn measure(server: &Mikrocloud, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let copy = directory.path().join("copy.db");
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", server.database().display())).await?;
    sqlx::query("VACUUM INTO $1").bind(copy.to_str().context("a path in UTF-8")?).execute(&mut database).await?;
    database.close().await?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("baseline").arg(&copy);
    let (_baseline, baseline_url) = Running::until_ready(&mut command)?;

    let ours = client::graphql(server.url(), server.token(), QUERY).await?;
    let theirs: Value = serde_json::from_slice(&client::get(&baseline_url, "localhost").await?)?;
    ensure!(ours["projects"] == theirs, "the two answer differently:\n{ours}\n{theirs}");

    let script = directory.path().join("query.lua");
    let body = serde_json::json!({ "query": QUERY }).to_string();
    let token = server.token();
    std::fs::write(
        &script,
        format!(
            "wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.headers['Authorization'] = 'Bearer {token}'\n"
        ),
    )?;
    let url = format!("{}/graphql", server.url());
    let ours = Target { url: &url, host: None, script: Some(&script) };
    let theirs = Target { url: &baseline_url, host: None, script: None };
    let (ours, theirs) = compare(&ours, &theirs)?;
    report.add(
        "GraphQL list query",
        format!("{ours:.0}/s"),
        format!("axum + sqlx: {theirs:.0}/s"),
        ours / theirs,
        Goal::AtLeast(0.7),
    );
    Ok(())
}
