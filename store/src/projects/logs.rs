//! Log lines, numbered per deployment without gaps.

use domain::event::{LogLine, NewLine};
use domain::id::{DeploymentId, TeamId};
use domain::time::now;

use crate::db::{Store, Tx};
use crate::error::Result;

impl Store {
    /// Up to `limit` lines of a deployment with numbers above `after`, in order.
    pub async fn log_list(&self, team: TeamId, deployment: DeploymentId, after: i64, limit: i64) -> Result<Vec<LogLine>> {
        let sql = "SELECT deployment_id, number, stream, text, at FROM log_lines
            WHERE team_id = $1 AND deployment_id = $2 AND number > $3 ORDER BY number LIMIT $4 + 0";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(deployment).bind(after).bind(limit).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Writes lines and returns the number of the last; `None` when the deployment is gone.
    pub async fn log_insert(&mut self, team: TeamId, deployment: DeploymentId, lines: &[NewLine]) -> Result<Option<i64>> {
        let count = "UPDATE deployments SET log_count = log_count + $3 WHERE team_id = $1 AND id = $2 RETURNING log_count";
        let added = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let last: Option<i64> =
            tx!(self, |conn| sqlx::query_scalar(count).bind(team).bind(deployment).bind(added).fetch_optional(conn).await)?;
        let Some(last) = last else { return Ok(None) };
        let at = now();
        // Both engines limit the values bound in one statement (SQLite 32766, PostgreSQL 65535).
        let mut number = last - added;
        for chunk in lines.chunks(1000) {
            tx!(self, |conn| {
                let mut sql =
                    sqlx::QueryBuilder::new("INSERT INTO log_lines (deployment_id, number, team_id, stream, text, at) ");
                sql.push_values(chunk, |mut row, line| {
                    number += 1;
                    row.push_bind(deployment)
                        .push_bind(number)
                        .push_bind(team)
                        .push_bind(line.stream)
                        .push_bind(&line.text)
                        .push_bind(at);
                });
                sql.build().execute(conn).await.map(drop)
            })?;
        }
        Ok(Some(last))
    }

    /// Deletes all but the newest `keep` lines of every deployment that has more, of all teams.
    pub async fn log_purge(&mut self, keep: i64) -> Result<()> {
        let sql = "DELETE FROM log_lines WHERE EXISTS
            (SELECT 1 FROM deployments d WHERE d.id = log_lines.deployment_id AND d.log_count > $1 AND log_lines.number <= d.log_count - $1)";
        tx!(self, |conn| sqlx::query(sql).bind(keep).execute(conn).await.map(drop))?;
        Ok(())
    }
}
