//! Approvals of deployments to protected environments.

use domain::approval::{Approval, ApprovalState};
use domain::id::{DeploymentId, TeamId, UserId};
use domain::time::now;

use crate::db::{Store, Tx};
use crate::error::Result;

macro_rules! columns {
    () => {
        "deployment_id, team_id, project_id, environment_id, state, requested_by, requested_at, expires_at, decided_by, decided_at, reason, \
         from_outside"
    };
}

impl Store {
    /// The approvals that some of the team's deployments need or needed, in no particular order.
    pub async fn approval_get_many(&self, team: TeamId, deployments: &[DeploymentId]) -> Result<Vec<Approval>> {
        // PostgreSQL takes no empty list.
        if deployments.is_empty() {
            return Ok(Vec::new());
        }
        Ok(db!(self, |pool| {
            let mut sql = sqlx::QueryBuilder::new(concat!("SELECT ", columns!(), " FROM approvals WHERE team_id = "));
            sql.push_bind(team).push(" AND deployment_id IN (");
            let mut list = sql.separated(", ");
            for id in deployments {
                list.push_bind(*id);
            }
            list.push_unseparated(")");
            sql.build_query_as().fetch_all(pool).await
        })?)
    }

    /// The approvals that a team's deployments wait for, oldest first.
    pub async fn approval_list_pending(&self, team: TeamId, limit: i64) -> Result<Vec<Approval>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM approvals WHERE team_id = $1 AND state = 'pending'
              AND EXISTS (SELECT 1 FROM deployments d WHERE d.id = approvals.deployment_id AND d.status = 'queued') ORDER BY requested_at, deployment_id LIMIT 0 + $2"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(limit).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Adds the approval that a deployment waits for.
    pub async fn approval_insert(&mut self, approval: &Approval) -> Result<()> {
        let sql = "INSERT INTO approvals (deployment_id, team_id, project_id, environment_id, state, requested_by, requested_at, expires_at,
                from_outside)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(approval.deployment_id)
            .bind(approval.team_id)
            .bind(approval.project_id)
            .bind(approval.environment_id)
            .bind(approval.state)
            .bind(approval.requested_by)
            .bind(approval.requested_at)
            .bind(approval.expires_at)
            .bind(approval.from_outside)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// The approval that a deployment needs or needed.
    pub async fn approval_find(&mut self, team: TeamId, deployment: DeploymentId) -> Result<Option<Approval>> {
        let sql = concat!("SELECT ", columns!(), " FROM approvals WHERE team_id = $1 AND deployment_id = $2");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(deployment).fetch_optional(conn).await)?)
    }

    /// Ends the wait for an approval; `false` when nothing waits for it.
    pub async fn approval_end(
        &mut self,
        team: TeamId,
        deployment: DeploymentId,
        state: ApprovalState,
        by: Option<UserId>,
        reason: Option<&str>,
    ) -> Result<bool> {
        let sql = "UPDATE approvals SET state = $3, decided_by = $4, decided_at = $5, reason = $6
            WHERE team_id = $1 AND deployment_id = $2 AND state = 'pending'";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(deployment).bind(state).bind(by).bind(now()).bind(reason))?;
        Ok(done == 1)
    }
}
