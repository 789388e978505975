//! Connections of projects to their repositories at Git hosts, and the installations of apps there.

use domain::git_host::{BranchRule, GitConnection, Installation, InstallationAction, InstallationChange};
use domain::id::{GitConnectionId, ProjectId, TeamId};
use domain::time::Timestamp;
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::Result;

macro_rules! columns {
    () => {
        "id, team_id, project_id, host, api_url, repository, installation_id, \
         (sealed_token IS NOT NULL OR installation_id IS NOT NULL) AS reports, branches, previews, preview_hours, created_by, created_at"
    };
}

/// Sealed secrets of a connection.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct GitSecrets {
    /// Secret that signs webhooks.
    pub sealed_secret: Vec<u8>,
    /// Token for the host's API.
    pub sealed_token: Option<Vec<u8>>,
}

/// Change of a connection; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct GitConnectionChange {
    /// Rules for other branches that deploy, with their environments.
    pub branches: Option<Vec<BranchRule>>,
    /// Enables previews of pull requests.
    pub previews: Option<bool>,
    /// Lifetime of a preview after its last commit, hours.
    pub preview_hours: Option<i64>,
    /// Secret that signs webhooks.
    pub sealed_secret: Option<Vec<u8>>,
    /// Token for the host's API.
    pub sealed_token: Option<Vec<u8>>,
}

impl Store {
    /// The connection of a project.
    pub async fn git_connection_of(&self, team: TeamId, project: ProjectId) -> Result<Option<GitConnection>> {
        let sql = concat!("SELECT ", columns!(), " FROM git_connections WHERE team_id = $1 AND project_id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(project).fetch_optional(pool).await)?)
    }

    /// A connection of the team.
    pub async fn git_connection_get(&self, team: TeamId, id: GitConnectionId) -> Result<Option<GitConnection>> {
        let sql = concat!("SELECT ", columns!(), " FROM git_connections WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// Returns the sealed secrets of a connection of the team.
    pub async fn git_secrets(&self, team: TeamId, id: GitConnectionId) -> Result<Option<GitSecrets>> {
        let sql = "SELECT sealed_secret, sealed_token FROM git_connections WHERE team_id = $1 AND id = $2";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// The connection that a webhook names, whosever it is: the webhook's signature says whether it may.
    pub async fn git_connection_named(&self, id: GitConnectionId) -> Result<Option<GitConnection>> {
        let sql = concat!("SELECT ", columns!(), " FROM git_connections WHERE id = $1");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?)
    }

    /// The connections, of all teams, that use an installation of the app.
    pub async fn git_connection_list_of_installation(&self, installation: i64) -> Result<Vec<GitConnection>> {
        let sql = concat!("SELECT ", columns!(), " FROM git_connections WHERE installation_id = $1 ORDER BY id");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(installation).fetch_all(pool).await)?)
    }

    /// Lists the accounts on which the app is installed.
    pub async fn git_installation_list(&self) -> Result<Vec<Installation>> {
        let sql = "SELECT id, account, team_id, suspended, changed_at FROM git_installations ORDER BY account, id";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }

    /// One installation of the app, whosever it is.
    pub async fn git_installation_get(&self, id: i64) -> Result<Option<Installation>> {
        let sql = "SELECT id, account, team_id, suspended, changed_at FROM git_installations WHERE id = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?)
    }

    /// The team's installation of the app on an account.
    pub async fn git_installation_on(&self, team: TeamId, account: &str) -> Result<Option<Installation>> {
        let sql = "SELECT id, account, team_id, suspended, changed_at FROM git_installations
            WHERE team_id = $1 AND LOWER(account) = LOWER($2) ORDER BY id DESC LIMIT 1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(account).fetch_optional(pool).await)?)
    }
}

impl Tx {
    /// Adds a connection with its sealed secrets. `Exists` when the project has one.
    pub async fn git_connection_insert(&mut self, connection: &GitConnection, secrets: &GitSecrets) -> Result<()> {
        let sql =
            "INSERT INTO git_connections (id, team_id, project_id, host, api_url, repository, installation_id, sealed_secret,
                sealed_token, branches, previews, preview_hours, created_by, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(connection.id)
            .bind(connection.team_id)
            .bind(connection.project_id)
            .bind(connection.host)
            .bind(&connection.api_url)
            .bind(connection.repository.as_str())
            .bind(connection.installation_id)
            .bind(&secrets.sealed_secret)
            .bind(&secrets.sealed_token)
            .bind(Json(&connection.branches))
            .bind(connection.previews)
            .bind(connection.preview_hours)
            .bind(connection.created_by)
            .bind(connection.created_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Changes a connection; `false` if not found in the team.
    pub async fn git_connection_update(
        &mut self,
        team: TeamId,
        id: GitConnectionId,
        change: &GitConnectionChange,
    ) -> Result<bool> {
        let sql = "UPDATE git_connections SET branches = COALESCE($3, branches), previews = COALESCE($4, previews),
                preview_hours = COALESCE($5, preview_hours), sealed_secret = COALESCE($6, sealed_secret),
                sealed_token = COALESCE($7, sealed_token)
            WHERE team_id = $1 AND id = $2";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(team)
                .bind(id)
                .bind(change.branches.as_ref().map(Json))
                .bind(change.previews)
                .bind(change.preview_hours)
                .bind(&change.sealed_secret)
                .bind(&change.sealed_token)
        )?;
        Ok(done == 1)
    }

    /// Deletes a connection with its deliveries and what it knows of previews; `false` if not found in the team.
    pub async fn git_connection_delete(&mut self, team: TeamId, id: GitConnectionId) -> Result<bool> {
        let sql = "DELETE FROM git_connections WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id))?;
        Ok(done == 1)
    }

    /// Records what became of an installation, unless something later is known of it.
    pub async fn git_installation_put(&mut self, change: &InstallationChange, at: Timestamp) -> Result<()> {
        if change.action == InstallationAction::Deleted {
            let sql = "DELETE FROM git_installations WHERE id = $1";
            return Ok(tx!(self, |conn| sqlx::query(sql).bind(change.id).execute(conn).await.map(drop))?);
        }
        let sql = "INSERT INTO git_installations (id, account, suspended, changed_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (id) DO UPDATE SET account = excluded.account, suspended = excluded.suspended, changed_at = excluded.changed_at
            WHERE git_installations.changed_at <= excluded.changed_at";
        tx!(self, |conn| sqlx::query(sql)
            .bind(change.id)
            .bind(&change.account)
            .bind(change.action == InstallationAction::Suspended)
            .bind(at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Says which team may connect the repositories of an installation's account; `false` when there is no such installation.
    pub async fn git_installation_assign(&mut self, id: i64, team: Option<TeamId>) -> Result<bool> {
        let sql = "UPDATE git_installations SET team_id = $2 WHERE id = $1";
        let done = changed!(self, sqlx::query(sql).bind(id).bind(team))?;
        Ok(done == 1)
    }
}
