//! Letters to people, until they are sent.

use domain::id::{LetterId, TeamId, UserId};
use domain::time::Timestamp;

use crate::db::{Store, Tx};
use crate::error::Result;

/// A letter that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LetterRow {
    /// Identity.
    pub id: LetterId,
    /// The team that writes.
    pub team_id: TeamId,
    /// Recipient of the letter.
    pub user_id: UserId,
    /// Text of the letter, sealed.
    pub sealed: Vec<u8>,
    /// Time after which it is of no use.
    pub expires_at: Timestamp,
}

impl Store {
    /// A letter of the team's.
    pub async fn letter_get(&self, team: TeamId, id: LetterId) -> Result<Option<LetterRow>> {
        let sql = "SELECT id, team_id, user_id, sealed, expires_at FROM letters WHERE team_id = $1 AND id = $2";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }
}

impl Tx {
    /// Adds a letter.
    pub async fn letter_insert(&mut self, letter: &LetterRow) -> Result<()> {
        let sql = "INSERT INTO letters (id, team_id, user_id, sealed, expires_at) VALUES ($1, $2, $3, $4, $5)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(letter.id)
            .bind(letter.team_id)
            .bind(letter.user_id)
            .bind(&letter.sealed)
            .bind(letter.expires_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Deletes a letter that was sent, or that nobody takes.
    pub async fn letter_delete(&mut self, team: TeamId, id: LetterId) -> Result<()> {
        let sql = "DELETE FROM letters WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes letters that nobody has any use for at this moment.
    pub async fn letter_purge(&mut self, at: Timestamp) -> Result<()> {
        let sql = "DELETE FROM letters WHERE expires_at < $1";
        tx!(self, |conn| sqlx::query(sql).bind(at).execute(conn).await.map(drop))?;
        Ok(())
    }
}
