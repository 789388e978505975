//! Deployments.

use domain::artifact::Digest;
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::time::{Timestamp, now};
use domain::workload::WorkloadSpec;
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, team_id, project_id, environment_id, number, status, trigger, source, commit_sha, origin_id, artifact_digest, artifact_removed_at, workload, \
         config_version, failure, created_by, created_at, changed_at, deadline, event_count, log_count, address_name, wanted_cloud"
    };
}

/// A step of a deployment from one status to another, with what became known by it.
#[derive(Debug, Clone)]
pub struct DeploymentChange {
    /// The status it must have now.
    pub from: DeploymentStatus,
    /// The status it gets.
    pub to: DeploymentStatus,
    /// Deadline of the new phase.
    pub deadline: Option<Timestamp>,
    /// Reason for which it failed or was cancelled.
    pub failure: Option<Failure>,
}

impl Store {
    /// A deployment of the team.
    pub async fn deployment_get(&self, team: TeamId, id: DeploymentId) -> Result<Option<Deployment>> {
        let sql = concat!("SELECT ", columns!(), " FROM deployments WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// Those deployments of the team that have these ids, in no particular order.
    pub async fn deployment_get_many(&self, team: TeamId, ids: &[DeploymentId]) -> Result<Vec<Deployment>> {
        // PostgreSQL takes no empty list.
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(db!(self, |pool| {
            let mut sql = sqlx::QueryBuilder::new(concat!("SELECT ", columns!(), " FROM deployments WHERE team_id = "));
            sql.push_bind(team).push(" AND id IN (");
            let mut list = sql.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            list.push_unseparated(")");
            sql.build_query_as().fetch_all(pool).await
        })?)
    }

    /// A page of a project's deployments, newest first, after the one with this id; of one environment if one is named.
    pub async fn deployment_list(
        &self,
        team: TeamId,
        project: ProjectId,
        environment: Option<EnvironmentId>,
        after: Option<DeploymentId>,
        limit: i64,
    ) -> Result<Page<Deployment>> {
        let rows = db!(self, |pool| {
            let mut sql = sqlx::QueryBuilder::new(concat!("SELECT ", columns!(), " FROM deployments WHERE team_id = "));
            sql.push_bind(team).push(" AND project_id = ").push_bind(project);
            if let Some(environment) = environment {
                sql.push(" AND environment_id = ").push_bind(environment);
            }
            if let Some(after) = after {
                sql.push(" AND id < ").push_bind(after);
            }
            sql.push(" ORDER BY id DESC LIMIT 1 + ").push_bind(limit);
            sql.build_query_as().fetch_all(pool).await
        })?;
        Ok(Page::from_rows(rows, limit))
    }

    /// Returns the number of a project's deployments.
    pub async fn deployment_count(&self, team: TeamId, project: ProjectId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM deployments WHERE team_id = $1 AND project_id = $2";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(project).fetch_one(pool).await)?)
    }

    /// The deployment that was shown before the present one, for a rollback that names none.
    pub async fn deployment_previous(&self, team: TeamId, environment: EnvironmentId) -> Result<Option<Deployment>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM deployments WHERE team_id = $1 AND environment_id = $2 AND status = 'superseded'
              ORDER BY changed_at DESC, number DESC LIMIT 1"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(environment).fetch_optional(pool).await)?)
    }

    /// Returns the number of deployments of all teams in each status. For metrics.
    pub async fn deployment_status_counts(&self) -> Result<Vec<(DeploymentStatus, i64)>> {
        let sql = "SELECT status, COUNT(*) FROM deployments GROUP BY status";
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }

    /// Deployments of all teams that should move and cannot: no job is left for them, and no approval that they wait for and that can be
    /// given, for which it has to be known what is approved. The sweeper fails these, so that none stays so.
    pub async fn deployment_list_stranded(&self) -> Result<Vec<Deployment>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM deployments WHERE status IN ('queued', 'building', 'releasing') AND NOT EXISTS
              (SELECT 1 FROM jobs WHERE jobs.subject_id = deployments.id AND jobs.state IN ('pending', 'running'))
              AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.deployment_id = deployments.id AND a.state = 'pending'
                AND deployments.status = 'queued' AND (deployments.commit_sha IS NOT NULL OR deployments.artifact_digest IS NOT NULL
                  OR CAST(deployments.source AS TEXT) LIKE '%\"digest\":%')) LIMIT 100"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).fetch_all(pool).await)?)
    }

    /// Deployments of all teams whose phase should be over at this moment.
    pub async fn deployment_list_overdue(&self, at: Timestamp) -> Result<Vec<Deployment>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM deployments WHERE status IN ('queued', 'building', 'releasing') AND deadline < $1 LIMIT 100"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(at).fetch_all(pool).await)?)
    }

    /// Deployments of an environment whose workload may be deleted: beyond the newest `keep` that were shown once.
    pub async fn deployment_list_beyond(&self, team: TeamId, environment: EnvironmentId, keep: i64) -> Result<Vec<Deployment>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM deployments WHERE team_id = $1 AND environment_id = $2 AND status = 'superseded'
              AND (EXISTS (SELECT 1 FROM resources r WHERE r.deployment_id = deployments.id)
                OR EXISTS (SELECT 1 FROM deployment_targets t WHERE t.deployment_id = deployments.id AND t.state <> 'gone'))
              ORDER BY changed_at DESC, number DESC LIMIT 100 OFFSET $3"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(environment).bind(keep).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Adds a deployment.
    pub async fn deployment_insert(&mut self, deployment: &Deployment) -> Result<()> {
        let sql = "INSERT INTO deployments (id, team_id, project_id, environment_id, number, status, trigger, source, commit_sha, origin_id,
                artifact_digest, workload, config_version, switching, created_by, created_at, changed_at, deadline, wanted_cloud, event_count,
                log_count)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0, 0)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(deployment.id)
            .bind(deployment.team_id)
            .bind(deployment.project_id)
            .bind(deployment.environment_id)
            .bind(deployment.number)
            .bind(deployment.status)
            .bind(deployment.trigger)
            .bind(Json(&deployment.source))
            .bind(&deployment.commit_sha)
            .bind(deployment.origin_id)
            .bind(&deployment.artifact_digest)
            .bind(deployment.workload.as_ref().map(Json))
            .bind(deployment.config_version)
            .bind(false)
            .bind(deployment.created_by)
            .bind(deployment.created_at)
            .bind(deployment.changed_at)
            .bind(deployment.deadline)
            .bind(&deployment.wanted_cloud)
            .execute(conn)
            .await
            .map(drop))?;
        crate::operations::idempotency::made(deployment.id);
        Ok(())
    }

    /// A deployment as this transaction sees it.
    pub async fn deployment_find(&mut self, team: TeamId, id: DeploymentId) -> Result<Option<Deployment>> {
        let sql = concat!("SELECT ", columns!(), " FROM deployments WHERE team_id = $1 AND id = $2");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }

    /// The deployments of an environment that wait in its queue, oldest first.
    pub async fn deployment_list_queued(&mut self, team: TeamId, environment: EnvironmentId) -> Result<Vec<Deployment>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM deployments WHERE team_id = $1 AND environment_id = $2 AND status = 'queued' ORDER BY number"
        );
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(environment).fetch_all(conn).await)?)
    }

    /// The deployment that an environment shows, as a list of none or one.
    pub async fn deployment_list_live(&mut self, team: TeamId, environment: EnvironmentId) -> Result<Vec<Deployment>> {
        let sql =
            concat!("SELECT ", columns!(), " FROM deployments WHERE team_id = $1 AND environment_id = $2 AND status = 'live'");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(environment).fetch_all(conn).await)?)
    }

    /// The deployments of a project that still move.
    pub async fn deployment_list_moving(&mut self, team: TeamId, project: ProjectId) -> Result<Vec<Deployment>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM deployments WHERE team_id = $1 AND project_id = $2 AND status IN ('queued', 'building', 'releasing') ORDER BY number"
        );
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(project).fetch_all(conn).await)?)
    }

    /// Takes a deployment from one status to another; `Changed` when it is not in the first.
    pub async fn deployment_change(&mut self, team: TeamId, id: DeploymentId, change: &DeploymentChange) -> Result<()> {
        let sql = "UPDATE deployments SET status = $4, changed_at = $5, deadline = $6, failure = $7
            WHERE team_id = $1 AND id = $2 AND status = $3";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(team)
                .bind(id)
                .bind(change.from)
                .bind(change.to)
                .bind(now())
                .bind(change.deadline)
                .bind(change.failure.as_ref().map(Json))
        )?;
        expect_one(done, StoreError::Changed)
    }

    /// Records the commit that is being built.
    pub async fn deployment_set_commit(&mut self, team: TeamId, id: DeploymentId, commit: &str) -> Result<()> {
        let sql = "UPDATE deployments SET commit_sha = $3 WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).bind(commit).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Records what was built and what it runs as.
    pub async fn deployment_set_artifact(
        &mut self,
        team: TeamId,
        id: DeploymentId,
        digest: &Digest,
        workload: &WorkloadSpec,
    ) -> Result<()> {
        let sql = "UPDATE deployments SET artifact_digest = $3, workload = $4 WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).bind(digest).bind(Json(workload)).execute(conn).await.map(drop))?;
        // The content is back for all that had it.
        let sql = "UPDATE deployments SET artifact_removed_at = NULL
            WHERE team_id = $1 AND artifact_digest = $2 AND artifact_removed_at IS NOT NULL";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(digest).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Marks that the environment is about to show this deployment; `false` when it no longer may, because it was cancelled.
    /// May be repeated.
    pub async fn deployment_begin_switch(&mut self, team: TeamId, id: DeploymentId) -> Result<bool> {
        let sql = "UPDATE deployments SET switching = $3 WHERE team_id = $1 AND id = $2 AND status = 'releasing'";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(true))?;
        Ok(done == 1)
    }

    /// Returns true if the environment serves this deployment, or is about to.
    pub async fn deployment_is_switching(&mut self, team: TeamId, id: DeploymentId) -> Result<bool> {
        let sql = "SELECT switching FROM deployments WHERE team_id = $1 AND id = $2";
        let row: Option<bool> = tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(id).fetch_optional(conn).await)?;
        Ok(row.unwrap_or(false))
    }
}
