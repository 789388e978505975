//! Changes of the master key.

use domain::id::TeamId;
use domain::time::{Timestamp, now};
use uuid::Uuid;

use crate::db::{Store, Tx};
use crate::error::Result;

/// A change of the master key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct KeyRotation {
    /// Its identity, to which the keys in it are bound.
    pub id: Uuid,
    /// Fingerprint of the old key.
    pub old_fingerprint: String,
    /// Fingerprint of the new key.
    pub new_fingerprint: String,
    /// The new key, sealed under the old one, until it has taken its place.
    pub sealed_new: Option<Vec<u8>>,
    /// The old key, sealed under the new one, until a while after that.
    pub sealed_old: Option<Vec<u8>>,
    /// Process that carries it out.
    pub runner: Uuid,
    /// Time until which the runner counts as alive.
    pub runner_until: Timestamp,
    /// Time at which the rotation began.
    pub started_at: Timestamp,
    /// Time at which the new key had replaced the old one.
    pub finished_at: Option<Timestamp>,
}

impl Store {
    /// The newest change of the master key, finished or not.
    pub async fn key_rotation_latest(&self) -> Result<Option<KeyRotation>> {
        let sql =
            "SELECT id, old_fingerprint, new_fingerprint, sealed_new, sealed_old, runner, runner_until, started_at, finished_at
            FROM key_rotations ORDER BY started_at DESC, id DESC LIMIT 1";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_optional(pool).await)?)
    }

    /// All sealed data keys of a team with their versions, the newest last.
    pub async fn team_key_list(&self, team: TeamId) -> Result<Vec<(i64, Vec<u8>)>> {
        let sql = "SELECT version, sealed FROM team_keys WHERE team_id = $1 ORDER BY version";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_all(pool).await)?)
    }

    /// Erases old keys of changes that were finished before a moment.
    pub async fn key_rotation_forget(&self, before: Timestamp) -> Result<()> {
        let sql = "UPDATE key_rotations SET sealed_old = NULL WHERE finished_at < $1 AND sealed_old IS NOT NULL";
        db!(self, |pool| sqlx::query(sql).bind(before).execute(pool).await.map(drop))?;
        Ok(())
    }
}

impl Tx {
    /// Begins a change; a conflict when one is not finished.
    pub async fn key_rotation_insert(&mut self, rotation: &KeyRotation) -> Result<()> {
        let sql = "INSERT INTO key_rotations
            (id, old_fingerprint, new_fingerprint, sealed_new, sealed_old, runner, runner_until, started_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(rotation.id)
            .bind(&rotation.old_fingerprint)
            .bind(&rotation.new_fingerprint)
            .bind(&rotation.sealed_new)
            .bind(&rotation.sealed_old)
            .bind(rotation.runner)
            .bind(rotation.runner_until)
            .bind(rotation.started_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Makes somebody else the runner of a change whose runner is dead; `false` when it is not.
    pub async fn key_rotation_take(&mut self, id: Uuid, runner: Uuid, until: Timestamp) -> Result<bool> {
        let sql =
            "UPDATE key_rotations SET runner = $2, runner_until = $3 WHERE id = $1 AND runner_until < $4 AND finished_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(id).bind(runner).bind(until).bind(now()))?;
        Ok(done == 1)
    }

    /// Says that the runner lives. Whatever a runner writes is in a transaction that begins with this; `false` when it is another by now.
    pub async fn key_rotation_renew(&mut self, id: Uuid, runner: Uuid, until: Timestamp) -> Result<bool> {
        let sql = "UPDATE key_rotations SET runner_until = $3 WHERE id = $1 AND runner = $2 AND finished_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(id).bind(runner).bind(until))?;
        Ok(done == 1)
    }

    /// Ends a change: the old key opens the new one no more.
    pub async fn key_rotation_finish(&mut self, id: Uuid, at: Timestamp) -> Result<()> {
        let sql = "UPDATE key_rotations SET sealed_new = NULL, finished_at = $2 WHERE id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(id).bind(at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The version of each team's newest data key.
    pub async fn team_key_versions(&mut self) -> Result<Vec<(TeamId, i64)>> {
        let sql = "SELECT team_id, MAX(version) FROM team_keys GROUP BY team_id ORDER BY team_id";
        Ok(tx!(self, |conn| sqlx::query_as(sql).fetch_all(conn).await)?)
    }

    /// Removes the data keys before the last two of each team. The last but one stays for what was sealed and not yet written.
    pub async fn team_key_delete_outdated(&mut self) -> Result<()> {
        let sql = "DELETE FROM team_keys WHERE EXISTS (SELECT 1 FROM team_keys newer
            WHERE newer.team_id = team_keys.team_id AND newer.version > team_keys.version + 1)";
        tx!(self, |conn| sqlx::query(sql).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Replaces a fact about the installation; `false` when it is not what is to be replaced.
    pub async fn installation_replace(&mut self, name: &str, old: &str, new: &str) -> Result<bool> {
        let sql = "UPDATE installation SET value = $3 WHERE name = $1 AND value = $2";
        let done = changed!(self, sqlx::query(sql).bind(name).bind(old).bind(new))?;
        Ok(done == 1)
    }
}
