//! Projects.

use domain::id::{ProjectId, TeamId};
use domain::name::ProjectName;
use domain::project::{Project, ProjectBrief};
use domain::time::now;

use crate::db::{Open, Store, Tx};
use crate::error::Result;
use crate::page::Page;

macro_rules! columns {
    () => {
        "id, team_id, name, repository, reference, created_at, updated_at, deleting_at"
    };
}

/// A page of these columns. The first page has a query of its own, which the index answers without a condition that may be absent.
macro_rules! list {
    ($store:ident, $columns:expr, $team:ident, $after:ident, $limit:ident) => {{
        let first = concat!("SELECT ", $columns, " FROM projects WHERE team_id = $1 ORDER BY id DESC LIMIT $2 + 1");
        let next = concat!("SELECT ", $columns, " FROM projects WHERE team_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3 + 1");
        let rows = match $after {
            Some(after) => db!($store, |pool| sqlx::query_as(next).bind($team).bind(after).bind($limit).fetch_all(pool).await),
            None => db!($store, |pool| sqlx::query_as(first).bind($team).bind($limit).fetch_all(pool).await),
        }?;
        Ok(Page::from_rows(rows, $limit))
    }};
}

/// A change to a project; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
pub struct ProjectChange {
    /// The new name.
    pub name: Option<ProjectName>,
    /// The new repository.
    pub repository: Option<Option<String>>,
    /// The new branch, tag or commit.
    pub reference: Option<Option<String>>,
}

impl Store {
    /// A project of the team.
    pub async fn project_get(&self, team: TeamId, id: ProjectId) -> Result<Option<Project>> {
        let sql = concat!("SELECT ", columns!(), " FROM projects WHERE team_id = $1 AND id = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }

    /// The project of the team that has this name.
    pub async fn project_by_name(&self, team: TeamId, name: &str) -> Result<Option<Project>> {
        let sql = concat!("SELECT ", columns!(), " FROM projects WHERE team_id = $1 AND name = $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(name).fetch_optional(pool).await)?)
    }

    /// Those projects of the team that have these ids, in no particular order.
    pub async fn project_get_many(&self, team: TeamId, ids: &[ProjectId]) -> Result<Vec<Project>> {
        // PostgreSQL takes no empty list.
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(db!(self, |pool| {
            let mut sql = sqlx::QueryBuilder::new(concat!("SELECT ", columns!(), " FROM projects WHERE team_id = "));
            sql.push_bind(team).push(" AND id IN (");
            let mut list = sql.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            list.push_unseparated(")");
            sql.build_query_as().fetch_all(pool).await
        })?)
    }

    /// A page of the team's projects, newest first, after the one with this id.
    pub async fn project_list(&self, team: TeamId, after: Option<ProjectId>, limit: i64) -> Result<Page<Project>> {
        list!(self, columns!(), team, after, limit)
    }

    /// The same page, without what only a closer look shows.
    pub async fn project_brief_list(&self, team: TeamId, after: Option<ProjectId>, limit: i64) -> Result<Page<ProjectBrief>> {
        list!(self, "id, name, created_at", team, after, limit)
    }

    /// Returns the number of the team's projects.
    pub async fn project_count(&self, team: TeamId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM projects WHERE team_id = $1";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).fetch_one(pool).await)?)
    }

    /// The number of the project's last event.
    pub async fn project_event_count(&self, team: TeamId, id: ProjectId) -> Result<Option<i64>> {
        let sql = "SELECT event_count FROM projects WHERE team_id = $1 AND id = $2";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }
}

impl Tx {
    /// Adds a project. `Exists` when the name is taken.
    pub async fn project_insert(&mut self, project: &Project) -> Result<()> {
        let sql = "INSERT INTO projects (id, team_id, name, repository, reference, event_count, deployment_count, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(project.id)
            .bind(project.team_id)
            .bind(&project.name)
            .bind(&project.repository)
            .bind(&project.reference)
            .bind(project.created_at)
            .bind(project.updated_at)
            .execute(conn)
            .await
            .map(drop))?;
        crate::operations::idempotency::made(project.id);
        Ok(())
    }

    /// The project, locked until the transaction ends: whatever changes its deployments begins with this, so that such changes
    /// happen one after another and lock rows in one order.
    pub async fn project_lock(&mut self, team: TeamId, id: ProjectId) -> Result<Option<Project>> {
        let sqlite = concat!("SELECT ", columns!(), " FROM projects WHERE team_id = $1 AND id = $2");
        let postgres = concat!("SELECT ", columns!(), " FROM projects WHERE team_id = $1 AND id = $2 FOR UPDATE");
        Ok(match &mut self.0 {
            Open::Postgres(open) => sqlx::query_as(postgres).bind(team).bind(id).fetch_optional(&mut **open).await,
            // The transaction began IMMEDIATE: the whole file is locked.
            Open::Sqlite { open, .. } => sqlx::query_as(sqlite).bind(team).bind(id).fetch_optional(&mut **open).await,
        }?)
    }

    /// Changes a project that is not being deleted and returns it as it is then; `None` when the team has no such project.
    pub async fn project_update(&mut self, team: TeamId, id: ProjectId, change: &ProjectChange) -> Result<Option<Project>> {
        let Some(mut project) = self.project_lock(team, id).await?.filter(|project| project.deleting_at.is_none()) else {
            return Ok(None);
        };
        project.name = change.name.clone().unwrap_or(project.name);
        project.repository = change.repository.clone().unwrap_or(project.repository);
        project.reference = change.reference.clone().unwrap_or(project.reference);
        project.updated_at = now();
        let sql =
            "UPDATE projects SET name = $3, repository = $4, reference = $5, updated_at = $6 WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql)
            .bind(team)
            .bind(id)
            .bind(&project.name)
            .bind(&project.repository)
            .bind(&project.reference)
            .bind(project.updated_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(Some(project))
    }

    /// Takes along all that has a project's name in its own when the project gets another: routes, and their place in the inventory.
    /// Addresses of single deployments stay as they are. `Exists` when somebody else has a route of the new name.
    pub async fn project_move_routes(
        &mut self,
        team: TeamId,
        id: ProjectId,
        (old, new): (&ProjectName, &ProjectName),
    ) -> Result<()> {
        let pin = "UPDATE deployments SET address_name = $3 WHERE team_id = $1 AND project_id = $2 AND address_name IS NULL";
        tx!(self, |conn| sqlx::query(pin).bind(team).bind(id).bind(old).execute(conn).await.map(drop))?;
        let renamed = [
            "UPDATE local_routes SET label = $4 || substr(label, length($3) + 1) WHERE team_id = $1 AND project_id = $2
             AND (label = $3 OR label LIKE $3 || '--%')",
            "UPDATE resources SET external_id = $4 || substr(external_id, length($3) + 1) WHERE team_id = $1 AND project_id = $2
             AND kind = 'route' AND (external_id = $3 OR external_id LIKE $3 || '--%')",
        ];
        for sql in renamed {
            tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).bind(old).bind(new).execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    /// Returns true if a project other than this has a route of the name.
    pub async fn project_name_is_routed(&mut self, name: &ProjectName, id: ProjectId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM local_routes WHERE (label = $1 OR label LIKE $1 || '--%') AND project_id <> $2)";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(name).bind(id).fetch_one(conn).await)?)
    }

    /// Marks a project as being deleted; `false` when it is already, or is not there.
    pub async fn project_mark_deleting(&mut self, team: TeamId, id: ProjectId) -> Result<bool> {
        let sql = "UPDATE projects SET deleting_at = $3 WHERE team_id = $1 AND id = $2 AND deleting_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(now()))?;
        Ok(done == 1)
    }

    /// Deletes a project and all rows that belong to it.
    pub async fn project_delete(&mut self, team: TeamId, id: ProjectId) -> Result<()> {
        let sql = "DELETE FROM projects WHERE team_id = $1 AND id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(id).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The next deployment number of the project.
    pub async fn project_next_deployment(&mut self, team: TeamId, id: ProjectId) -> Result<i64> {
        let sql = "UPDATE projects SET deployment_count = deployment_count + 1 WHERE team_id = $1 AND id = $2 RETURNING deployment_count";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(id).fetch_one(conn).await)?)
    }
}
