//! Logs of ended deployments that were moved into objects. Moving is one transaction, so that a line is always in one of both.

use domain::id::{DeploymentId, EnvironmentId, ObjectId, ProjectId, TeamId};
use domain::log_archive::LogArchive;
use domain::time::{Timestamp, now};
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::Result;

macro_rules! columns {
    () => {
        "team_id, deployment_id, first_number, last_number, object_id, size_bytes, chunks"
    };
}

impl Store {
    /// The archives of a deployment that have lines with numbers above `after`, in order.
    pub async fn log_archive_list(&self, team: TeamId, deployment: DeploymentId, after: i64) -> Result<Vec<LogArchive>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM log_archives WHERE team_id = $1 AND deployment_id = $2 AND last_number > $3 ORDER BY last_number"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(deployment).bind(after).fetch_all(pool).await)?)
    }

    /// The objects with the logs of a project.
    pub async fn log_archive_objects(&self, team: TeamId, project: ProjectId) -> Result<Vec<ObjectId>> {
        let sql = "SELECT object_id FROM log_archives WHERE team_id = $1
            AND deployment_id IN (SELECT id FROM deployments WHERE project_id = $2)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(project).fetch_all(pool).await)?)
    }

    /// The objects that hold archived logs of an environment.
    pub async fn log_archive_objects_of_environment(&self, team: TeamId, environment: EnvironmentId) -> Result<Vec<ObjectId>> {
        let sql = "SELECT object_id FROM log_archives WHERE team_id = $1
            AND deployment_id IN (SELECT id FROM deployments WHERE environment_id = $2)";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(environment).fetch_all(pool).await)?)
    }

    /// Returns the size of the team's archived logs, bytes.
    pub async fn log_archive_usage(&self, team: TeamId) -> Result<i64> {
        let sql = "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM log_archives WHERE team_id = $1";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).fetch_one(pool).await)?)
    }

    /// The objects with logs of all teams. What is stored beside these is rubbish.
    pub async fn log_archive_object_list(&self) -> Result<Vec<ObjectId>> {
        Ok(db!(self, |pool| sqlx::query_scalar("SELECT object_id FROM log_archives").fetch_all(pool).await)?)
    }

    /// Deployments of all teams that ended before this moment and have lines in the database, none of them younger.
    pub async fn log_list_archivable(&self, before: Timestamp, limit: i64) -> Result<Vec<(TeamId, DeploymentId)>> {
        let sql = "SELECT team_id, id FROM deployments d
            WHERE status IN ('superseded', 'failed', 'cancelled') AND changed_at < $1
              AND EXISTS (SELECT 1 FROM log_lines l WHERE l.deployment_id = d.id)
              AND NOT EXISTS (SELECT 1 FROM log_lines l WHERE l.deployment_id = d.id AND l.at >= $1)
            ORDER BY id LIMIT $2 + 0";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(before).bind(limit).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Records an archive and deletes the lines that are in it. `false`, and nothing done, when they are not all there any more: the
    /// deployment is gone, or another was quicker.
    pub async fn log_archive_insert(&mut self, archive: &LogArchive) -> Result<bool> {
        let sql = "DELETE FROM log_lines WHERE team_id = $1 AND deployment_id = $2 AND number BETWEEN $3 AND $4";
        let deleted = changed!(
            self,
            sqlx::query(sql)
                .bind(archive.team_id)
                .bind(archive.deployment_id)
                .bind(archive.first_number)
                .bind(archive.last_number)
        )?;
        if i64::try_from(deleted).ok() != Some(archive.last_number - archive.first_number + 1) {
            return Ok(false);
        }
        let sql = "INSERT INTO log_archives (team_id, deployment_id, first_number, last_number, object_id, size_bytes, chunks, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(archive.team_id)
            .bind(archive.deployment_id)
            .bind(archive.first_number)
            .bind(archive.last_number)
            .bind(archive.object_id)
            .bind(archive.size_bytes)
            .bind(Json(&archive.chunks))
            .bind(now())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(true)
    }
}
