//! Throughput of a GraphQL list query, against the plainest handlers that do the same.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::client;
use crate::load::{Target, compare, compare_p95};
use crate::process::Running;
use crate::report::{Goal, Report};
use crate::server::Mikrocloud;

const QUERY: &str = "{ projects(first: 50) { nodes { id slug createdAt } } }";
const MANY: usize = 10_000;

/// Asks all for 50 projects of a hundred.
pub async fn measure(server: &Mikrocloud, report: &mut Report) -> Result<()> {
    let rig = Rig::new(server).await?;
    let ours = rig.ours(server)?;
    for (what, name, tuned) in
        [("GraphQL list query", "axum + sqlx", false), ("GraphQL list query, tuned baseline", "with the store's settings", true)]
    {
        let baseline = rig.baseline(server, tuned).await?;
        let (ours, theirs) = compare(&ours.target(), &Target::get(&baseline.url))?;
        report.add(what, format!("{ours:.0}/s"), format!("{name}: {theirs:.0}/s"), ours / theirs, Goal::AtLeast(0.7));
    }
    Ok(())
}

/// The same with 10,000 projects, a limit that counts each request, and a thousand clients.
pub async fn measure_crowd(binary: &Path, report: &mut Report) -> Result<()> {
    let server = Mikrocloud::start(binary, &["--rate-limit", "0"]).await?;
    server.create_projects(1).await?;
    server.fill(MANY).await?;
    let rig = Rig::new(&server).await?;
    let ours = rig.ours(&server)?;
    let baseline = rig.baseline(&server, true).await?;
    let theirs = Target::get(&baseline.url);
    let (p95, base) = compare_p95(&ours.target(), &theirs)?;
    report.add(
        "p95 of 1000 clients that ask once a second, 10,000 projects",
        format!("{:.1} ms", p95 * 1e3),
        format!("axum + sqlx, tuned: {:.1} ms; goal 50 ms", base * 1e3),
        p95 / 0.050,
        Goal::AtMost(1.0),
    );
    let counting = Mikrocloud::start(binary, &["--rate-limit", "1000000000"]).await?;
    counting.create_projects(1).await?;
    counting.fill(MANY).await?;
    let counted = rig.ours(&counting)?;
    let (counted, uncounted) = compare(&counted.target(), &ours.target())?;
    report.add(
        "the same query, requests counted",
        format!("{counted:.0}/s"),
        format!("not counted: {uncounted:.0}/s"),
        counted / uncounted,
        Goal::None,
    );
    counting.stop()?;
    server.stop()
}

/// Directory of copies and scripts.
struct Rig(TempDir);

/// The list query as a request to MikroCloud.
struct Ours {
    url: String,
    script: std::path::PathBuf,
}

impl Ours {
    fn target(&self) -> Target<'_> {
        Target { url: &self.url, host: None, script: Some(&self.script) }
    }
}

struct Baseline {
    _process: Running,
    url: String,
}

impl Rig {
    async fn new(server: &Mikrocloud) -> Result<Self> {
        let rig = Self(tempfile::tempdir()?);
        let mut database = SqliteConnection::connect(&format!("sqlite://{}", server.database().display())).await?;
        let copy = rig.copy();
        sqlx::query("VACUUM INTO $1").bind(copy.to_str().context("a path in UTF-8")?).execute(&mut database).await?;
        database.close().await?;
        Ok(rig)
    }

    fn copy(&self) -> std::path::PathBuf {
        self.0.path().join("copy.db")
    }

    fn ours(&self, server: &Mikrocloud) -> Result<Ours> {
        let url = format!("{}/graphql", server.url());
        let script = self.0.path().join(format!("query-{}.lua", server.id()));
        let body = serde_json::json!({ "query": QUERY }).to_string();
        let token = server.token();
        std::fs::write(
            &script,
            format!(
                "wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.headers['Authorization'] = 'Bearer {token}'\n"
            ),
        )?;
        Ok(Ours { url, script })
    }

    /// Starts the handler and makes sure that it answers the same.
    async fn baseline(&self, server: &Mikrocloud, tuned: bool) -> Result<Baseline> {
        // A copy of its own: the journal's mode stays with the file.
        let file = self.0.path().join(format!("baseline-{tuned}.db"));
        std::fs::copy(self.copy(), &file)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(if tuned { "tuned-baseline" } else { "baseline" }).arg(&file);
        let (process, url) = Running::until_ready(&mut command)?;
        let ours = client::graphql(server.url(), server.token(), QUERY).await?;
        let theirs: Value = serde_json::from_slice(&client::get(&url, "localhost").await?)?;
        ensure!(ours["projects"] == theirs, "the two answer differently:\n{ours}\n{theirs}");
        Ok(Baseline { _process: process, url })
    }
}
