//! Which artifacts exist, and which directories were uploaded.

use domain::artifact::Digest;
use domain::id::TeamId;
use domain::time::{Timestamp, now};

use crate::db::{Store, Tx};
use crate::error::Result;

impl Store {
    /// Whether the team uploaded a directory with this digest.
    pub async fn upload_exists(&self, team: TeamId, digest: &Digest) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM uploads WHERE team_id = $1 AND digest = $2)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(digest).fetch_one(pool).await)?)
    }

    /// Artifacts that no deployment refers to.
    pub async fn artifact_list_unused(&self) -> Result<Vec<Digest>> {
        let sql = "SELECT digest FROM artifacts WHERE NOT EXISTS (SELECT 1 FROM deployments d WHERE d.artifact_digest = artifacts.digest)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).fetch_all(pool).await)?)
    }

    /// Every upload of all teams, as digests. What is stored beside these is rubbish.
    pub async fn upload_digests(&self) -> Result<Vec<Digest>> {
        Ok(db!(self, |pool| sqlx::query_scalar("SELECT DISTINCT digest FROM uploads").fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Records an artifact; the same content again changes nothing.
    pub async fn artifact_put(&mut self, digest: &Digest, bytes: i64, files: i64) -> Result<()> {
        let sql = "INSERT INTO artifacts (digest, size_bytes, file_count, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO NOTHING";
        tx!(self, |conn| sqlx::query(sql).bind(digest).bind(bytes).bind(files).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes the row of an artifact unless a deployment refers to it; whether it did.
    pub async fn artifact_delete_unused(&mut self, digest: &Digest) -> Result<bool> {
        let sql = "DELETE FROM artifacts WHERE digest = $1
            AND NOT EXISTS (SELECT 1 FROM deployments d WHERE d.artifact_digest = artifacts.digest)";
        let done = tx!(self, |conn| sqlx::query(sql).bind(digest).execute(conn).await.map(|d| d.rows_affected()))?;
        Ok(done == 1)
    }

    /// Records an upload; the same content again only makes it younger.
    pub async fn upload_put(&mut self, team: TeamId, digest: &Digest, bytes: i64) -> Result<()> {
        let sql = "INSERT INTO uploads (team_id, digest, size_bytes, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (team_id, digest) DO UPDATE SET created_at = excluded.created_at";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(digest).bind(bytes).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes the rows of uploads older than this moment.
    pub async fn upload_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM uploads WHERE created_at < $1";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
