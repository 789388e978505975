//! Facts about the installation as a whole, and the sealed keys of its teams.

use domain::id::TeamId;
use domain::time::{Timestamp, now};

use crate::db::{Store, Tx};
use crate::error::Result;

impl Store {
    /// A fact about the installation.
    pub async fn installation_get(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM installation WHERE name = $1";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(name).fetch_optional(pool).await)?)
    }

    /// Returns the time at which the installation was set up: its first user was created then. `None` before that.
    pub async fn installation_began(&self) -> Result<Option<Timestamp>> {
        Ok(db!(self, |pool| sqlx::query_scalar("SELECT MIN(created_at) FROM users").fetch_one(pool).await)?)
    }

    /// Returns the time of the latest entry of an audit log; `None` if there is none.
    pub async fn audit_latest(&self) -> Result<Option<Timestamp>> {
        Ok(db!(self, |pool| sqlx::query_scalar("SELECT MAX(at) FROM audit_entries").fetch_one(pool).await)?)
    }

    /// The team's newest sealed data key and its version.
    pub async fn team_key_get(&self, team: TeamId) -> Result<Option<(i64, Vec<u8>)>> {
        let sql = "SELECT version, sealed FROM team_keys WHERE team_id = $1 ORDER BY version DESC LIMIT 1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_optional(pool).await)?)
    }
}

impl Tx {
    /// Records a fact about the installation; refused when it is recorded already.
    pub async fn installation_insert(&mut self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO installation (name, value) VALUES ($1, $2)";
        tx!(self, |conn| sqlx::query(sql).bind(name).bind(value).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Records a fact about the installation in place of what was recorded.
    pub async fn installation_put(&mut self, name: &str, value: &str) -> Result<()> {
        let sql =
            "INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        tx!(self, |conn| sqlx::query(sql).bind(name).bind(value).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Records a sealed data key of a team.
    pub async fn team_key_insert(&mut self, team: TeamId, version: i64, sealed: &[u8]) -> Result<()> {
        let sql = "INSERT INTO team_keys (team_id, version, sealed, created_at) VALUES ($1, $2, $3, $4)";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(version).bind(sealed).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }
}
