//! Teams.

use domain::id::{TeamId, UserId};
use domain::team::Team;

use crate::db::{Store, Tx};
use crate::error::Result;
use crate::page::Page;

impl Store {
    /// A team.
    pub async fn team_get(&self, id: TeamId) -> Result<Option<Team>> {
        let sql = "SELECT id, name, created_at FROM teams WHERE id = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?)
    }

    /// The teams that a user is in, the oldest first.
    pub async fn user_team_list(&self, user: UserId) -> Result<Vec<Team>> {
        let sql = "SELECT t.id, t.name, t.created_at FROM teams t JOIN memberships m ON m.team_id = t.id WHERE m.user_id = $1 ORDER BY t.id";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(user).fetch_all(pool).await)?)
    }

    /// A page of all teams of the installation, the oldest first.
    pub async fn team_list(&self, after: Option<TeamId>, limit: i64) -> Result<Page<Team>> {
        let sql = "SELECT id, name, created_at FROM teams WHERE CAST($1 AS UUID) IS NULL OR id > $1 ORDER BY id LIMIT $2 + 1";
        let rows = db!(self, |pool| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(pool).await)?;
        Ok(Page::from_rows(rows, limit))
    }
}

impl Tx {
    /// Adds a team.
    pub async fn team_insert(&mut self, team: &Team) -> Result<()> {
        let sql = "INSERT INTO teams (id, name, created_at) VALUES ($1, $2, $3)";
        tx!(self, |conn| sqlx::query(sql).bind(team.id).bind(&team.name).bind(team.created_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Gives a team another name; `false` when it is not there.
    pub async fn team_rename(&mut self, team: TeamId, name: &str) -> Result<bool> {
        let sql = "UPDATE teams SET name = $2 WHERE id = $1";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(name))?;
        Ok(done == 1)
    }

    /// Every team of the installation, as this transaction sees it.
    pub async fn team_list_all(&mut self) -> Result<Vec<Team>> {
        let sql = "SELECT id, name, created_at FROM teams ORDER BY id";
        Ok(tx!(self, |conn| sqlx::query_as(sql).fetch_all(conn).await)?)
    }
}
