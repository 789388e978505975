//! Roles that teams make, and roles that members have on a project or an environment.

use domain::access::{CustomRole, Permissions, Role, RoleRef, Target};
use domain::id::{GrantId, RoleId, TeamId, UserId};
use domain::time::now;
use sqlx::types::Json;

use crate::db::{Store, Tx};
use crate::error::Result;

/// A grant to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewGrant {
    /// Identity.
    pub id: GrantId,
    /// User who has the grant.
    pub user_id: UserId,
    /// Role to grant.
    pub role: RoleRef,
    /// Project or environment of the grant.
    pub target: Target,
}

impl Store {
    /// The roles that a team made, by name.
    pub async fn role_list(&self, team: TeamId) -> Result<Vec<CustomRole>> {
        let sql = "SELECT id, team_id, name, permissions, created_at FROM roles WHERE team_id = $1 ORDER BY name";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_all(pool).await)?)
    }

    /// A role that a team made.
    pub async fn role_get(&self, team: TeamId, id: RoleId) -> Result<Option<CustomRole>> {
        let sql = "SELECT id, team_id, name, permissions, created_at FROM roles WHERE team_id = $1 AND id = $2";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(pool).await)?)
    }
}

impl Tx {
    /// A role that a team made, as this transaction sees it.
    pub async fn role_find(&mut self, team: TeamId, id: RoleId) -> Result<Option<CustomRole>> {
        let sql = "SELECT id, team_id, name, permissions, created_at FROM roles WHERE team_id = $1 AND id = $2";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }

    /// Returns the number of a team's custom roles.
    pub async fn role_count(&mut self, team: TeamId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM roles WHERE team_id = $1";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).fetch_one(conn).await)?)
    }

    /// Returns the user who has a grant.
    pub async fn grant_holder(&mut self, team: TeamId, id: GrantId) -> Result<Option<UserId>> {
        let sql = "SELECT user_id FROM role_grants WHERE team_id = $1 AND id = $2";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(id).fetch_optional(conn).await)?)
    }

    /// Adds a role. `Exists` when the team has one of that name.
    pub async fn role_insert(&mut self, role: &CustomRole) -> Result<()> {
        let sql = "INSERT INTO roles (id, team_id, name, permissions, created_at) VALUES ($1, $2, $3, $4, $5)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(role.id)
            .bind(role.team_id)
            .bind(&role.name)
            .bind(Json(role.permissions))
            .bind(role.created_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Changes a role; `false` if not found in the team. `Exists` when another has that name.
    pub async fn role_update(&mut self, team: TeamId, id: RoleId, name: &str, permissions: Permissions) -> Result<bool> {
        let sql = "UPDATE roles SET name = $3, permissions = $4 WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id).bind(name).bind(Json(permissions)))?;
        Ok(done == 1)
    }

    /// Returns true if a member has this role, in the team or granted.
    pub async fn role_is_used(&mut self, team: TeamId, id: RoleId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM memberships WHERE team_id = $1 AND role_id = $2)
            OR EXISTS (SELECT 1 FROM role_grants WHERE team_id = $1 AND role_id = $2)";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).bind(id).fetch_one(conn).await)?)
    }

    /// Deletes a role that nobody has; `false` if not found in the team.
    pub async fn role_delete(&mut self, team: TeamId, id: RoleId) -> Result<bool> {
        let sql = "DELETE FROM roles WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id))?;
        Ok(done == 1)
    }

    /// Gives a member a role on a project or an environment, instead of the one it had there. A role on the whole team is none of
    /// these: nothing is written, and the answer is `false`.
    pub async fn grant_put(&mut self, team: TeamId, grant: &NewGrant) -> Result<bool> {
        let (project, environment) = match grant.target {
            Target::Team => return Ok(false),
            Target::Project(project) => (project, None),
            Target::Environment(project, environment) => (project, Some(environment)),
        };
        let before = if environment.is_some() {
            "DELETE FROM role_grants WHERE team_id = $1 AND user_id = $2 AND project_id = $3 AND environment_id = $4"
        } else {
            "DELETE FROM role_grants WHERE team_id = $1 AND user_id = $2 AND project_id = $3 AND environment_id IS NULL"
        };
        tx!(self, |conn| {
            let sql = sqlx::query(before).bind(team).bind(grant.user_id).bind(project);
            let sql = if environment.is_some() { sql.bind(environment) } else { sql };
            sql.execute(conn).await.map(drop)
        })?;
        // The project and the environment are looked up within the team, so that nothing can be granted on another's.
        let sql = "INSERT INTO role_grants (id, team_id, user_id, project_id, environment_id, role, role_id, created_at)
            SELECT $1, $2, $3, p.id, e.id, $6, $7, $8 FROM projects p
            LEFT JOIN environments e ON e.project_id = p.id AND e.team_id = p.team_id AND e.id = $5
            WHERE p.team_id = $2 AND p.id = $4 AND (e.id IS NOT NULL OR $9)";
        let known = grant.role.built_in().unwrap_or(Role::Viewer);
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(grant.id)
                .bind(team)
                .bind(grant.user_id)
                .bind(project)
                .bind(environment)
                .bind(known)
                .bind(grant.role.custom())
                .bind(now())
                .bind(environment.is_none())
        )?;
        Ok(done == 1)
    }

    /// Takes a grant back; `false` if not found in the team.
    pub async fn grant_delete(&mut self, team: TeamId, id: GrantId) -> Result<bool> {
        let sql = "DELETE FROM role_grants WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id))?;
        Ok(done == 1)
    }
}
