//! Giving artifacts up: first by row, so that nobody uses them any more, then their objects.

use domain::artifact::Digest;
use domain::id::{DeploymentId, ObjectId, TeamId};
use domain::retention::{GivenUp, Holding};
use domain::time::Timestamp;

use crate::db::{Store, Tx};
use crate::error::Result;

/// Condition under which a deployment has the artifact and did not release it.
macro_rules! held {
    () => {
        "EXISTS (SELECT 1 FROM deployments d WHERE d.artifact_digest = artifacts.digest AND d.artifact_removed_at IS NULL)"
    };
}

/// An artifact whose object is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RemovedArtifact {
    /// The artifact.
    pub digest: Digest,
    /// The object that held it.
    pub object_id: Option<ObjectId>,
    /// The size of its files.
    pub size_bytes: i64,
}

impl Store {
    /// The teams that keep artifacts.
    pub async fn artifact_team_list(&self) -> Result<Vec<TeamId>> {
        let sql = "SELECT DISTINCT team_id FROM deployments WHERE artifact_digest IS NOT NULL AND artifact_removed_at IS NULL";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).fetch_all(pool).await)?)
    }

    /// Artifacts of all teams that no deployment holds any more and that are not marked as removed.
    pub async fn artifact_list_unheld(&self) -> Result<Vec<Digest>> {
        let sql = concat!("SELECT digest FROM artifacts WHERE removed_at IS NULL AND NOT ", held!());
        Ok(db!(self, |pool| sqlx::query_scalar(sql).fetch_all(pool).await)?)
    }

    /// Artifacts that were marked as removed before this moment, or that no deployment has at all, and whose object may be there.
    pub async fn artifact_list_removed(&self, before: Timestamp) -> Result<Vec<RemovedArtifact>> {
        let sql = "SELECT digest, object_id, size_bytes FROM artifacts WHERE removed_at IS NOT NULL AND deleted_at IS NULL
            AND (removed_at <= $1 OR NOT EXISTS (SELECT 1 FROM deployments d WHERE d.artifact_digest = artifacts.digest))";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(before).fetch_all(pool).await)?)
    }

    /// Every artifact whose object may be there, with that object. What is stored beside these is rubbish.
    pub async fn artifact_object_list(&self) -> Result<Vec<(Digest, Option<ObjectId>)>> {
        let sql = "SELECT digest, object_id FROM artifacts WHERE deleted_at IS NULL";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// The deployments of the team whose artifact is kept.
    pub async fn artifact_holdings(&mut self, team: TeamId) -> Result<Vec<Holding>> {
        let sql =
            "SELECT d.id AS deployment_id, d.environment_id, e.name = 'production' AS is_production, d.status, d.changed_at,
                d.artifact_digest AS digest, a.size_bytes AS bytes
            FROM deployments d JOIN environments e ON e.id = d.environment_id JOIN artifacts a ON a.digest = d.artifact_digest
            WHERE d.team_id = $1 AND d.artifact_removed_at IS NULL";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).fetch_all(conn).await)?)
    }

    /// Gives an artifact up for these deployments of the team; `false`, and nothing done, when another of its deployments uses it since.
    pub async fn artifact_give_up(&mut self, team: TeamId, given_up: &GivenUp, at: Timestamp) -> Result<bool> {
        // Whoever wants to use it, waits here, or is seen below.
        self.artifact_lock(&given_up.digest).await?;
        let sql = "SELECT id FROM deployments
            WHERE team_id = $1 AND artifact_digest = $2 AND artifact_removed_at IS NULL ORDER BY id";
        let holders: Vec<DeploymentId> =
            tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(&given_up.digest).fetch_all(conn).await)?;
        if holders.iter().any(|holder| !given_up.deployments.contains(holder)) {
            return Ok(false);
        }
        let sql = "UPDATE deployments SET artifact_removed_at = $3
            WHERE team_id = $1 AND artifact_digest = $2 AND artifact_removed_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(&given_up.digest).bind(at))?;
        Ok(done > 0)
    }

    /// Marks an artifact as removed unless a deployment of any team holds it; whether it did.
    pub async fn artifact_remove(&mut self, digest: &Digest, at: Timestamp) -> Result<bool> {
        if self.artifact_lock(digest).await?.is_none() {
            return Ok(false);
        }
        let sql = concat!("UPDATE artifacts SET removed_at = $2 WHERE digest = $1 AND removed_at IS NULL AND NOT ", held!());
        let done = changed!(self, sqlx::query(sql).bind(digest).bind(at))?;
        Ok(done == 1)
    }

    /// Takes the mark off artifacts that a deployment holds all the same, as a program of before this mark may have written it.
    pub async fn artifact_restore_held(&mut self) -> Result<()> {
        let sql = concat!("UPDATE artifacts SET removed_at = NULL, deleted_at = NULL WHERE removed_at IS NOT NULL AND ", held!());
        tx!(self, |conn| sqlx::query(sql).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Makes an object known that is named by its digest alone and has no row, as a removed artifact. `false` when it has one by now.
    pub async fn artifact_put_orphan(&mut self, digest: &Digest, at: Timestamp) -> Result<bool> {
        let sql = "INSERT INTO artifacts (digest, size_bytes, file_count, created_at, removed_at) VALUES ($1, 0, 0, $2, $2)
            ON CONFLICT (digest) DO UPDATE SET removed_at = artifacts.removed_at
            WHERE artifacts.object_id IS NOT NULL OR artifacts.deleted_at IS NOT NULL";
        let done = changed!(self, sqlx::query(sql).bind(digest).bind(at))?;
        Ok(done == 1)
    }

    /// Records that the object of a removed artifact is gone; `false` when the artifact came back meanwhile.
    pub async fn artifact_set_deleted(&mut self, removed: &RemovedArtifact, at: Timestamp) -> Result<bool> {
        let sql = "UPDATE artifacts SET deleted_at = $2 WHERE digest = $1 AND removed_at IS NOT NULL AND deleted_at IS NULL
            AND object_id IS NOT DISTINCT FROM $3";
        let done = changed!(self, sqlx::query(sql).bind(&removed.digest).bind(at).bind(removed.object_id))?;
        Ok(done == 1)
    }

    /// Deletes the rows of artifacts that are gone since before this moment and that no deployment names.
    pub async fn artifact_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM artifacts WHERE deleted_at < $1
            AND NOT EXISTS (SELECT 1 FROM deployments d WHERE d.artifact_digest = artifacts.digest)";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
