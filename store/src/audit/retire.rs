//! Giving up the beginning of a chain.

use domain::id::TeamId;
use domain::time::Timestamp;

use crate::db::Tx;
use crate::error::Result;

impl Tx {
    /// The last checkpoint before which all entries are from before this moment, at most `limit` entries from the beginning of what is kept:
    /// everything up to it can go. The transaction has the chain locked.
    pub async fn audit_retirable(&mut self, team: TeamId, before: Timestamp, limit: i64) -> Result<Option<i64>> {
        // A clock that went backwards once leaves older entries behind younger ones: those before the first younger one go.
        let sql = "SELECT MAX(p.sequence) FROM audit_checkpoints p JOIN audit_chains c ON c.team_id = p.team_id
            WHERE p.team_id = $1 AND p.sequence >= c.first_sequence AND p.sequence < c.first_sequence + $3
            AND p.sequence < COALESCE((SELECT MIN(e.sequence) FROM audit_entries e WHERE e.team_id = $1 AND e.at >= $2),
                c.last_sequence + 1)";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(before).bind(limit).fetch_one(conn).await)?)
    }

    /// Deletes the entries up to a checkpoint, and the checkpoints before that one. How many entries went.
    pub async fn audit_retire(&mut self, team: TeamId, checkpoint: i64) -> Result<u64> {
        let begin = "UPDATE audit_chains SET first_sequence = $2 + 1 WHERE team_id = $1 AND first_sequence <= $2";
        tx!(self, |conn| sqlx::query(begin).bind(team).bind(checkpoint).execute(conn).await.map(drop))?;
        let older = "DELETE FROM audit_checkpoints WHERE team_id = $1 AND sequence < $2";
        tx!(self, |conn| sqlx::query(older).bind(team).bind(checkpoint).execute(conn).await.map(drop))?;
        let entries = "DELETE FROM audit_entries WHERE team_id = $1 AND sequence <= $2";
        Ok(changed!(self, sqlx::query(entries).bind(team).bind(checkpoint))?)
    }
}
