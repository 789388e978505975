//! Artifacts that exist, and directories that were uploaded.

use domain::artifact::Digest;
use domain::id::{DeploymentId, ObjectId, TeamId};
use domain::time::{Timestamp, now};

use crate::db::{Open, Store, Tx};
use crate::error::Result;

/// Storage use of artifacts, each content counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct ArtifactUsage {
    /// Number of artifacts.
    pub count: i64,
    /// Total size of their files.
    pub bytes: i64,
}

impl Store {
    /// Returns true if the team uploaded a directory with this digest.
    pub async fn upload_exists(&self, team: TeamId, digest: &Digest) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM uploads WHERE team_id = $1 AND digest = $2)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(digest).fetch_one(pool).await)?)
    }

    /// Every upload of all teams, as digests. What is stored beside these is rubbish.
    pub async fn upload_digests(&self) -> Result<Vec<Digest>> {
        Ok(db!(self, |pool| sqlx::query_scalar("SELECT DISTINCT digest FROM uploads").fetch_all(pool).await)?)
    }

    /// Returns the storage use of the team's artifacts.
    pub async fn artifact_usage(&self, team: TeamId) -> Result<ArtifactUsage> {
        let sql = "SELECT COUNT(*) AS count, CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS bytes FROM artifacts
            WHERE digest IN (SELECT artifact_digest FROM deployments WHERE team_id = $1 AND artifact_removed_at IS NULL)";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_one(pool).await)?)
    }

    /// Returns the storage use of all teams' artifacts, each content counted once over all of them. For metrics.
    pub async fn artifact_usage_of_all(&self) -> Result<ArtifactUsage> {
        let sql = "SELECT COUNT(*) AS count, CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS bytes FROM artifacts
            WHERE removed_at IS NULL";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_one(pool).await)?)
    }
}

impl Tx {
    /// Records an artifact and returns the object that is to hold it; the same content again changes nothing. Content that was
    /// removed gets a new object: whoever still deletes the old one does no harm.
    pub async fn artifact_put(&mut self, digest: &Digest, bytes: i64, files: i64) -> Result<Option<ObjectId>> {
        let sql = "INSERT INTO artifacts (digest, size_bytes, file_count, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (digest) DO UPDATE SET size_bytes = excluded.size_bytes, file_count = excluded.file_count,
                object_id = CASE WHEN artifacts.removed_at IS NULL THEN artifacts.object_id ELSE $5 END,
                removed_at = NULL, deleted_at = NULL
            RETURNING object_id";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql)
            .bind(digest)
            .bind(bytes)
            .bind(files)
            .bind(now())
            .bind(ObjectId::new())
            .fetch_one(conn)
            .await)?)
    }

    /// Keeps others from removing an artifact, or from using it, until the transaction ends. `None` when there is none or it was removed.
    pub(crate) async fn artifact_lock(&mut self, digest: &Digest) -> Result<Option<Digest>> {
        let sqlite = "SELECT digest FROM artifacts WHERE digest = $1 AND removed_at IS NULL";
        let postgres = "SELECT digest FROM artifacts WHERE digest = $1 AND removed_at IS NULL FOR UPDATE";
        Ok(match &mut self.0 {
            Open::Postgres(open) => sqlx::query_scalar(postgres).bind(digest).fetch_optional(&mut **open).await,
            // The transaction began IMMEDIATE: the whole file is locked.
            Open::Sqlite { open, .. } => sqlx::query_scalar(sqlite).bind(digest).fetch_optional(&mut **open).await,
        }?)
    }

    /// Returns true if the artifact of a deployment is kept; if so, nobody removes it before the transaction ends.
    pub async fn artifact_hold(&mut self, team: TeamId, deployment: DeploymentId) -> Result<bool> {
        let Some(digest) = self.artifact_held(team, deployment).await? else { return Ok(false) };
        if self.artifact_lock(&digest).await?.is_none() {
            return Ok(false);
        }
        // It may have been given up while this transaction waited.
        Ok(self.artifact_held(team, deployment).await?.is_some())
    }

    /// The artifact of a deployment, unless it was given up.
    async fn artifact_held(&mut self, team: TeamId, deployment: DeploymentId) -> Result<Option<Digest>> {
        let sql = "SELECT artifact_digest FROM deployments
            WHERE team_id = $1 AND id = $2 AND artifact_digest IS NOT NULL AND artifact_removed_at IS NULL";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(deployment).fetch_optional(conn).await)?)
    }

    /// Records an upload; the same content again only makes it younger.
    pub async fn upload_put(&mut self, team: TeamId, digest: &Digest, bytes: i64) -> Result<()> {
        let sql = "INSERT INTO uploads (team_id, digest, size_bytes, created_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (team_id, digest) DO UPDATE SET created_at = excluded.created_at";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(digest).bind(bytes).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes the rows of uploads older than this moment, except those that a deployment still waits to be built from.
    pub async fn upload_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM uploads WHERE created_at < $1 AND NOT EXISTS
            (SELECT 1 FROM deployments d WHERE d.team_id = uploads.team_id AND d.status IN ('queued', 'building')
              AND CAST(d.source AS TEXT) LIKE '%' || uploads.digest || '%')";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
