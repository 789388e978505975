//! Adding to a chain.

use domain::artifact::Digest;
use domain::id::{ApiKeyId, TeamId, UserId};
use domain::time::Timestamp;

use super::{AuditCheckpointRow, AuditHead, NewAuditEntry};
use crate::db::{Open, Tx};
use crate::error::{Result, StoreError, expect_one};

macro_rules! head {
    () => {
        "SELECT c.last_sequence, c.last_hash, u.email, u.name AS user_name, k.name AS key_name FROM audit_chains c
         LEFT JOIN users u ON u.id = $2 LEFT JOIN api_keys k ON k.id = $3 AND k.team_id = c.team_id WHERE c.team_id = $1"
    };
}

impl Tx {
    /// The end of a team's chain, locked until the transaction ends, with the present names of a user and a key; `None` before there is
    /// one. It is to be taken last: everybody who changes something of the team waits for it.
    pub async fn audit_head(&mut self, team: TeamId, user: Option<UserId>, key: Option<ApiKeyId>) -> Result<Option<AuditHead>> {
        Ok(match &mut self.0 {
            Open::Postgres(open) => {
                let sql = concat!(head!(), " FOR UPDATE OF c");
                sqlx::query_as(sql).bind(team).bind(user).bind(key).fetch_optional(&mut **open).await?
            }
            // The transaction began IMMEDIATE: the whole file is locked.
            Open::Sqlite { open, .. } => {
                sqlx::query_as(head!()).bind(team).bind(user).bind(key).fetch_optional(&mut **open).await?
            }
        })
    }

    /// Begins the chain of a team, unless it has one.
    pub async fn audit_chain_insert(&mut self, team: TeamId, genesis: &Digest, at: Timestamp) -> Result<()> {
        let sql =
            "INSERT INTO audit_chains (team_id, last_sequence, last_hash, first_sequence, checkpoint_sequence, checkpoint_at)
            VALUES ($1, 0, $2, 1, 0, $3) ON CONFLICT (team_id) DO NOTHING";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(genesis).bind(at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Adds an entry and makes it the end of the chain. `Changed` when it does not follow the last one.
    pub async fn audit_insert(&mut self, entry: &NewAuditEntry<'_>) -> Result<()> {
        let sql = "INSERT INTO audit_entries (team_id, sequence, at, user_id, email, credential_id, action, outcome, target_id,
                target_name, entry, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(entry.team_id)
            .bind(entry.sequence)
            .bind(entry.at)
            .bind(entry.user_id)
            .bind(entry.email)
            .bind(entry.credential_id)
            .bind(entry.action)
            .bind(entry.outcome)
            .bind(entry.target_id)
            .bind(entry.target_name)
            .bind(entry.entry)
            .bind(entry.hash)
            .execute(conn)
            .await
            .map(drop))?;
        let sql = "UPDATE audit_chains SET last_sequence = $2, last_hash = $3 WHERE team_id = $1 AND last_sequence = $2 - 1";
        let done = changed!(self, sqlx::query(sql).bind(entry.team_id).bind(entry.sequence).bind(entry.hash))?;
        expect_one(done, StoreError::Changed)
    }

    /// Keeps a checkpoint for the end of the chain, which the transaction has locked.
    pub async fn audit_checkpoint_insert(&mut self, team: TeamId, checkpoint: &AuditCheckpointRow) -> Result<()> {
        let AuditCheckpointRow { sequence, hash, statement, at } = checkpoint;
        let sql = "INSERT INTO audit_checkpoints (team_id, sequence, statement, hash, at) VALUES ($1, $2, $3, $4, $5)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(team)
            .bind(sequence)
            .bind(statement)
            .bind(hash)
            .bind(at)
            .execute(conn)
            .await
            .map(drop))?;
        let sql = "UPDATE audit_chains SET checkpoint_sequence = $2, checkpoint_at = $3
            WHERE team_id = $1 AND last_sequence = $2 AND last_hash = $4";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(sequence).bind(at).bind(hash))?;
        expect_one(done, StoreError::Changed)
    }

    /// The last entry that a checkpoint covers.
    pub async fn audit_checkpoint_sequence(&mut self, team: TeamId) -> Result<i64> {
        let sql = "SELECT checkpoint_sequence FROM audit_chains WHERE team_id = $1";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).fetch_optional(conn).await)?.unwrap_or(0))
    }

    /// Keeps a public key, unless it is kept already.
    pub async fn audit_key_put(&mut self, public_key: &str, at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO audit_keys (public_key, created_at) VALUES ($1, $2) ON CONFLICT (public_key) DO NOTHING";
        tx!(self, |conn| sqlx::query(sql).bind(public_key).bind(at).execute(conn).await.map(drop))?;
        Ok(())
    }
}
