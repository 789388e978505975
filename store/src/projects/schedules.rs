//! Schedules and the ledger of their runs.

use domain::id::{ProjectId, ScheduleId, TeamId};
use domain::schedule::{ExpectedRun, RunState, Schedule};
use domain::time::{Timestamp, now};
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, team_id, project_id, environment, name, cron, time_zone, action, missed, enabled, timeout_seconds, next_due_at, created_by, \
         created_at"
    };
}

macro_rules! run_columns {
    () => {
        "schedule_id, due_at, team_id, state, deadline, outcome, started_at, finished_at"
    };
}

impl Store {
    /// The schedules of a project, by name.
    pub async fn schedule_list(&self, team: TeamId, project: ProjectId) -> Result<Vec<Schedule>> {
        let sql = concat!("SELECT ", columns!(), " FROM schedules WHERE team_id = $1 AND project_id = $2 ORDER BY name");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(project).fetch_all(pool).await)?)
    }

    /// A schedule of the team.
    pub async fn schedule_get(&self, team: TeamId, id: ScheduleId) -> Result<Option<Schedule>> {
        let sql = concat!("SELECT ", columns!(), " FROM schedules WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// Schedules of all teams that are due, the longest due first.
    pub async fn schedule_list_due(&self, at: Timestamp, limit: i64) -> Result<Vec<Schedule>> {
        let sql = concat!("SELECT ", columns!(), " FROM schedules WHERE next_due_at <= $1 ORDER BY next_due_at, id LIMIT $2 + 0");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(at).bind(limit).fetch_all(pool).await)?)
    }

    /// Schedules of all teams that are due after a moment.
    pub async fn schedule_list_ahead(&self, at: Timestamp) -> Result<Vec<Schedule>> {
        let sql = concat!("SELECT ", columns!(), " FROM schedules WHERE next_due_at > $1");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(at).fetch_all(pool).await)?)
    }

    /// Returns true if a time after this moment was skipped already.
    pub async fn run_is_any_ahead(&self, at: Timestamp) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM expected_runs WHERE due_at > $1 AND state = 'skipped')";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(at).fetch_one(pool).await)?)
    }

    /// The runs of a schedule, the latest first; those that were due before a moment, if one is given.
    pub async fn schedule_run_list(
        &self,
        team: TeamId,
        schedule: ScheduleId,
        before: Option<Timestamp>,
        limit: i64,
    ) -> Result<Page<ExpectedRun>> {
        let sql = concat!(
            "SELECT ",
            run_columns!(),
            " FROM expected_runs WHERE team_id = $1 AND schedule_id = $2 AND (CAST($3 AS TIMESTAMPTZ) IS NULL OR due_at < $3)
              ORDER BY due_at DESC LIMIT $4 + 1"
        );
        let rows =
            db!(self, |pool| sqlx::query_as(sql).bind(team).bind(schedule).bind(before).bind(limit).fetch_all(pool).await)?;
        Ok(Page::from_rows(rows, limit))
    }

    /// Runs of all teams that did not move on in time.
    pub async fn schedule_run_list_late(&self, at: Timestamp) -> Result<Vec<ExpectedRun>> {
        let sql = concat!(
            "SELECT ",
            run_columns!(),
            " FROM expected_runs WHERE state IN ('waiting', 'running') AND deadline < $1 ORDER BY deadline LIMIT 100"
        );
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(at).fetch_all(pool).await)?)
    }
}

impl Tx {
    /// Deletes the schedules of an environment with their ledgers, and returns which.
    pub async fn schedule_delete_of_environment(
        &mut self,
        team: TeamId,
        project: ProjectId,
        name: &str,
    ) -> Result<Vec<ScheduleId>> {
        let sql = "DELETE FROM schedules WHERE team_id = $1 AND project_id = $2 AND environment = $3 RETURNING id";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(project).bind(name).fetch_all(conn).await)?)
    }

    /// Writes a schedule; refused with [`StoreError::Exists`] when the project has one of its name.
    pub async fn schedule_insert(&mut self, schedule: &Schedule) -> Result<()> {
        let sql = concat!(
            "INSERT INTO schedules (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        );
        tx!(self, |conn| sqlx::query(sql)
            .bind(schedule.id)
            .bind(schedule.team_id)
            .bind(schedule.project_id)
            .bind(&schedule.environment)
            .bind(&schedule.name)
            .bind(&schedule.cron)
            .bind(&schedule.time_zone)
            .bind(Json(&schedule.action))
            .bind(schedule.missed)
            .bind(schedule.enabled)
            .bind(schedule.timeout_seconds)
            .bind(schedule.next_due_at)
            .bind(schedule.created_by)
            .bind(schedule.created_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Enables a schedule, from its next time on, or disables it.
    pub async fn schedule_enable(&mut self, team: TeamId, id: ScheduleId, enabled: bool, next: Option<Timestamp>) -> Result<()> {
        let sql = "UPDATE schedules SET enabled = $3, next_due_at = $4 WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(enabled).bind(next))?;
        expect_one(done, StoreError::Changed)
    }

    /// Moves a schedule on from the time that was due; `false` when somebody else did.
    pub async fn schedule_advance(&mut self, schedule: &Schedule, next: Option<Timestamp>) -> Result<bool> {
        let sql = "UPDATE schedules SET next_due_at = $3 WHERE id = $1 AND next_due_at = $2";
        let done = changed!(self, sqlx::query(sql).bind(schedule.id).bind(schedule.next_due_at).bind(next))?;
        Ok(done == 1)
    }

    /// Deletes a schedule with its ledger; `false` when it is not there.
    pub async fn schedule_delete(&mut self, team: TeamId, id: ScheduleId) -> Result<bool> {
        let sql = "DELETE FROM schedules WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id))?;
        Ok(done == 1)
    }

    /// Writes that a run is expected; `false` when that time is in the ledger already.
    pub async fn run_expect(&mut self, run: &ExpectedRun) -> Result<bool> {
        let sql = "INSERT INTO expected_runs (schedule_id, due_at, team_id, state, deadline, outcome, finished_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (schedule_id, due_at) DO NOTHING";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(run.schedule_id)
                .bind(run.due_at)
                .bind(run.team_id)
                .bind(run.state)
                .bind(run.deadline)
                .bind(&run.outcome)
                .bind(run.finished_at)
        )?;
        Ok(done == 1)
    }

    /// Records that a worker began with a run, and until when it has to end; `false` when it has ended.
    pub async fn schedule_run_begin(&mut self, schedule: ScheduleId, due_at: Timestamp, deadline: Timestamp) -> Result<bool> {
        let sql = "UPDATE expected_runs SET state = 'running', started_at = $3, deadline = $4
            WHERE schedule_id = $1 AND due_at = $2 AND state IN ('waiting', 'running')";
        let done = changed!(self, sqlx::query(sql).bind(schedule).bind(due_at).bind(now()).bind(deadline))?;
        Ok(done == 1)
    }

    /// Records how a run ended.
    pub async fn schedule_run_end(
        &mut self,
        schedule: ScheduleId,
        due_at: Timestamp,
        state: RunState,
        outcome: &str,
    ) -> Result<()> {
        let sql = "UPDATE expected_runs SET state = $3, outcome = $4, finished_at = $5 WHERE schedule_id = $1 AND due_at = $2";
        tx!(self, |conn| sqlx::query(sql)
            .bind(schedule)
            .bind(due_at)
            .bind(state)
            .bind(outcome)
            .bind(now())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Deletes entries of the ledger about times that were skipped and are after this moment.
    pub async fn run_forget_skipped(&mut self, at: Timestamp) -> Result<()> {
        let sql = "DELETE FROM expected_runs WHERE due_at > $1 AND state = 'skipped'";
        tx!(self, |conn| sqlx::query(sql).bind(at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Deletes entries of the ledger that ended before this moment.
    pub async fn schedule_run_purge(&mut self, before: Timestamp) -> Result<()> {
        let sql = "DELETE FROM expected_runs WHERE finished_at < $1";
        tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        Ok(())
    }
}
