//! A private `mikrocloud up`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::client;
use crate::process::{self, Running};

/// A server with a data directory and a credential of its own.
pub struct Mikrocloud {
    binary: PathBuf,
    directory: TempDir,
    process: Running,
    url: String,
    token: String,
}

impl Mikrocloud {
    /// Starts it on a free port, with these arguments besides.
    pub async fn start(binary: &Path, arguments: &[&str]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut command = Self::command(binary, directory.path());
        command.arg("up").arg("--data").arg(directory.path().join("data")).args(["--listen", "127.0.0.1:0"]).args(arguments);
        let (process, url) = tokio::task::spawn_blocking(move || Running::until_ready(&mut command)).await??;
        let credentials =
            std::fs::read_to_string(directory.path().join("config/credentials.json")).context("the CLI's credential")?;
        let credentials: Value = serde_json::from_str(&credentials)?;
        let token = credentials["token"].as_str().context("the credential's token")?.to_owned();
        Ok(Self { binary: binary.to_owned(), directory, process, url, token })
    }

    fn command(binary: &Path, directory: &Path) -> Command {
        let mut command = Command::new(binary);
        command.env("MIKROCLOUD_CONFIG_DIR", directory.join("config")).env("RUST_LOG", "warn");
        for variable in ["MIKROCLOUD_URL", "MIKROCLOUD_TOKEN", "MIKROCLOUD_DATA", "MIKROCLOUD_LISTEN", "MIKROCLOUD_BASE_DOMAIN"] {
            command.env_remove(variable);
        }
        command
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A credential of its owner.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its database file, which it has open.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("data/mikrocloud.db")
    }

    /// Creates projects named `project-0`, `project-1` and so on.
    pub async fn create_projects(&self, count: usize) -> Result<()> {
        for number in 0..count {
            let query =
                format!(r#"mutation {{ createProject(input: {{ name: "project-{number}" }}) {{ userErrors {{ message }} }} }}"#);
            let data = client::graphql(&self.url, &self.token, &query).await?;
            ensure!(data["createProject"]["userErrors"] == Value::Array(Vec::new()), "{data}");
        }
        Ok(())
    }

    /// Adds projects to those of the first team, past its API.
    pub async fn fill(&self, count: usize) -> Result<()> {
        let mut database = SqliteConnection::connect(&format!("sqlite://{}", self.database().display())).await?;
        let sql = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
            INSERT INTO projects (id, team_id, name, event_count, deployment_count, created_at, updated_at)
            SELECT randomblob(16), team_id, 'filling-' || n, 0, 0, created_at, updated_at
            FROM numbers, (SELECT team_id, created_at, updated_at FROM projects LIMIT 1)";
        sqlx::query(sql).bind(i64::try_from(count)?).execute(&mut database).await?;
        database.close().await?;
        Ok(())
    }

    /// Deploys a directory or a repository with the command line and returns the document it prints once the site is live.
    pub fn deploy(&self, source: &str, project: &str) -> Result<Value> {
        let mut command = Self::command(&self.binary, self.directory.path());
        let printed = process::run(command.args(["deploy", source, "--project", project, "--json"]))?;
        let document: Value = serde_json::from_str(&printed)?;
        ensure!(document["status"] == "live", "{document}");
        Ok(document)
    }

    /// Ends it and removes its state.
    pub fn stop(self) -> Result<()> {
        drop(self.process);
        self.directory.close().context("the data directory cannot be removed")
    }
}
