//! Previews of pull requests, and which deployments Git hosts are told of.

use domain::git_host::Preview;
use domain::id::{DeploymentId, EnvironmentId, GitConnectionId, PreviewId, ProjectId, TeamId};
use domain::time::Timestamp;

use crate::db::{Store, Tx};
use crate::error::Result;

macro_rules! columns {
    () => {
        "id, team_id, project_id, connection_id, environment_id, number, title, author, branch, commit_sha, is_fork, comment_id, \
         closed_because, expires_at, created_at"
    };
}

/// A deployment that a Git host is told of.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct GitReport {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The connection by which the host is told.
    pub connection_id: GitConnectionId,
    /// The preview that it shows.
    pub preview_id: Option<PreviewId>,
    /// The last state that the host was told.
    pub reported: Option<String>,
}

impl Store {
    /// The previews of a project that have an environment, the latest first.
    pub async fn preview_list(&self, team: TeamId, project: ProjectId) -> Result<Vec<Preview>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM previews WHERE team_id = $1 AND project_id = $2 AND environment_id IS NOT NULL ORDER BY id DESC"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(project).fetch_all(pool).await)?)
    }

    /// A preview of the team.
    pub async fn preview_get(&self, team: TeamId, id: PreviewId) -> Result<Option<Preview>> {
        let sql = concat!("SELECT ", columns!(), " FROM previews WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// Previews of all teams whose time is over.
    pub async fn preview_list_expired(&self, at: Timestamp) -> Result<Vec<Preview>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM previews WHERE closed_because IS NULL AND environment_id IS NOT NULL AND expires_at <= $1
              ORDER BY expires_at LIMIT 100"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(at).fetch_all(pool).await)?)
    }

    /// Returns the report of a deployment to a Git host, if there is one to make.
    pub async fn git_report_get(&self, team: TeamId, deployment: DeploymentId) -> Result<Option<GitReport>> {
        let sql = "SELECT deployment_id, team_id, connection_id, preview_id, reported FROM git_reports
            WHERE team_id = $1 AND deployment_id = $2";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(deployment).fetch_optional(pool).await)?)
    }

    /// Lists the reports of an environment's deployments to a Git host.
    pub async fn git_report_list_of_environment(&self, team: TeamId, environment: EnvironmentId) -> Result<Vec<GitReport>> {
        let sql = "SELECT deployment_id, team_id, connection_id, preview_id, reported FROM git_reports
            WHERE team_id = $1 AND deployment_id IN (SELECT d.id FROM deployments d WHERE d.team_id = $1 AND d.environment_id = $2)";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(environment).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// The preview of a pull request.
    pub async fn preview_find(&mut self, team: TeamId, connection: GitConnectionId, number: i64) -> Result<Option<Preview>> {
        let sql = concat!("SELECT ", columns!(), " FROM previews WHERE team_id = $1 AND connection_id = $2 AND number = $3");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(connection).bind(number).fetch_optional(conn).await)?)
    }

    /// The preview that an environment shows.
    pub async fn preview_of_environment(&mut self, team: TeamId, environment: EnvironmentId) -> Result<Option<Preview>> {
        let sql = concat!("SELECT ", columns!(), " FROM previews WHERE team_id = $1 AND environment_id = $2");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(environment).fetch_optional(conn).await)?)
    }

    /// Writes a preview as it is now.
    pub async fn preview_put(&mut self, preview: &Preview) -> Result<()> {
        let sql = concat!(
            "INSERT INTO previews (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
              ON CONFLICT (connection_id, number) DO UPDATE SET environment_id = excluded.environment_id, title = excluded.title,
                author = excluded.author, branch = excluded.branch, commit_sha = excluded.commit_sha, is_fork = excluded.is_fork,
                closed_because = excluded.closed_because, expires_at = excluded.expires_at
              WHERE previews.team_id = excluded.team_id"
        );
        tx!(self, |conn| sqlx::query(sql)
            .bind(preview.id)
            .bind(preview.team_id)
            .bind(preview.project_id)
            .bind(preview.connection_id)
            .bind(preview.environment_id)
            .bind(preview.number)
            .bind(&preview.title)
            .bind(&preview.author)
            .bind(&preview.branch)
            .bind(&preview.commit_sha)
            .bind(preview.is_fork)
            .bind(preview.comment_id)
            .bind(&preview.closed_because)
            .bind(preview.expires_at)
            .bind(preview.created_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Records why a preview ends; `false` when it does already.
    pub async fn preview_close(&mut self, team: TeamId, id: PreviewId, because: &str) -> Result<bool> {
        let sql = "UPDATE previews SET closed_because = $3 WHERE team_id = $1 AND id = $2 AND closed_because IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(because))?;
        Ok(done == 1)
    }

    /// Records the comment that tells of a preview.
    pub async fn preview_set_comment(&mut self, team: TeamId, id: PreviewId, comment: i64) -> Result<()> {
        let sql = "UPDATE previews SET comment_id = $3 WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).bind(comment).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Forgets previews that ended and whose pull request nothing was heard of since a moment.
    pub async fn preview_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM previews WHERE environment_id IS NULL AND expires_at < $1";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Says that a Git host is to be told what becomes of a deployment.
    pub async fn git_report_insert(&mut self, report: &GitReport) -> Result<()> {
        let sql = "INSERT INTO git_reports (deployment_id, team_id, connection_id, preview_id) VALUES ($1, $2, $3, $4)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(report.deployment_id)
            .bind(report.team_id)
            .bind(report.connection_id)
            .bind(report.preview_id)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Returns the report of a deployment to a Git host, if there is one to make.
    pub async fn git_report_find(&mut self, team: TeamId, deployment: DeploymentId) -> Result<Option<GitReport>> {
        let sql = "SELECT deployment_id, team_id, connection_id, preview_id, reported FROM git_reports
            WHERE team_id = $1 AND deployment_id = $2";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(deployment).fetch_optional(conn).await)?)
    }

    /// Records what the host was told of a deployment.
    pub async fn git_report_told(&mut self, team: TeamId, deployment: DeploymentId, reported: &str) -> Result<()> {
        let sql = "UPDATE git_reports SET reported = $3 WHERE team_id = $1 AND deployment_id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(deployment).bind(reported).execute(conn).await.map(drop))?;
        Ok(())
    }
}
