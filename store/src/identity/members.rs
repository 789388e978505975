//! Members of teams, and their rights. A member is read with all rights in one query: a row for each grant, one without any.

use domain::access::{Grant, Permissions, Rights, Role, RoleRef, Target};
use domain::id::{EnvironmentId, GrantId, ProjectId, RoleId, TeamId, UserId};
use domain::team::{Member, Membership, Standing, User};
use domain::time::now;
use sqlx::types::Json;

use crate::db::{Open, Store, Tx};
use crate::error::Result;

macro_rules! standing_columns {
    () => {
        "m.team_id AS member_team_id, m.user_id AS member_id, m.role, m.role_id, r.permissions AS role_permissions, \
         u.created_by AS made_by, g.id AS grant_id, g.project_id, g.environment_id, g.role AS grant_role, \
         g.role_id AS grant_role_id, gr.permissions AS grant_permissions"
    };
}

/// To stand after `memberships m`.
macro_rules! standing_joins {
    () => {
        " LEFT JOIN users u ON u.id = m.user_id LEFT JOIN roles r ON r.id = m.role_id AND r.team_id = m.team_id
          LEFT JOIN role_grants g ON g.team_id = m.team_id AND g.user_id = m.user_id
          LEFT JOIN roles gr ON gr.id = g.role_id AND gr.team_id = m.team_id "
    };
}
pub(crate) use {standing_columns, standing_joins};

/// A member with one of its grants; all is `NULL` where there is no such member.
#[derive(sqlx::FromRow)]
pub(crate) struct StandingRow {
    member_team_id: Option<TeamId>,
    member_id: Option<UserId>,
    role: Option<Role>,
    role_id: Option<RoleId>,
    role_permissions: Option<Json<Permissions>>,
    made_by: Option<UserId>,
    grant_id: Option<GrantId>,
    project_id: Option<ProjectId>,
    environment_id: Option<EnvironmentId>,
    grant_role: Option<Role>,
    grant_role_id: Option<RoleId>,
    grant_permissions: Option<Json<Permissions>>,
}

/// Returns the permissions of a role: a custom role has its stored permissions, and none if it does not exist.
fn allowed(role: RoleRef, custom: Option<Json<Permissions>>) -> Permissions {
    match role {
        RoleRef::BuiltIn(role) => role.permissions(),
        RoleRef::Custom(_) => custom.map_or(Permissions::NONE, |Json(permissions)| permissions),
    }
}

impl StandingRow {
    fn grant(&self) -> Option<Grant> {
        let role = RoleRef::from_columns(self.grant_role?, self.grant_role_id);
        let project = self.project_id?;
        let target = self.environment_id.map_or(Target::Project(project), |id| Target::Environment(project, id));
        Some(Grant { id: self.grant_id?, role, permissions: allowed(role, self.grant_permissions), target })
    }

    fn standing(&self) -> Option<Standing> {
        let role = RoleRef::from_columns(self.role?, self.role_id);
        let rights = Rights { role, permissions: allowed(role, self.role_permissions), grants: Vec::new(), bound: None };
        Some(Standing { team_id: self.member_team_id?, user_id: self.member_id?, created_by: self.made_by, rights })
    }
}

/// Members from rows in which those of a member follow each other.
pub(crate) fn standings(rows: &[StandingRow]) -> Vec<Standing> {
    let mut found: Vec<Standing> = Vec::new();
    for row in rows {
        let Some(standing) = row.standing() else { continue };
        let is_new = found.last().is_none_or(|last| (last.team_id, last.user_id) != (standing.team_id, standing.user_id));
        if is_new {
            found.push(standing);
        }
        if let Some(last) = found.last_mut() {
            last.rights.grants.extend(row.grant());
        }
    }
    found
}

const STANDING_OF_ONE: &str = concat!(
    "SELECT ",
    standing_columns!(),
    " FROM memberships m",
    standing_joins!(),
    "WHERE m.team_id = $1 AND m.user_id = $2 ORDER BY g.id"
);

impl Store {
    /// Lists the teams of which a user is a member, oldest team first, with the rights there.
    pub async fn standing_list(&self, user: UserId) -> Result<Vec<Standing>> {
        let sql = concat!(
            "SELECT ",
            standing_columns!(),
            " FROM memberships m",
            standing_joins!(),
            "WHERE m.user_id = $1 ORDER BY m.team_id, g.id"
        );
        let rows: Vec<StandingRow> = db!(self, |pool| sqlx::query_as(sql).bind(user).fetch_all(pool).await)?;
        Ok(standings(&rows))
    }

    /// A user's place in a team, and what that allows.
    pub async fn standing_get(&self, team: TeamId, user: UserId) -> Result<Option<Standing>> {
        let rows: Vec<StandingRow> =
            db!(self, |pool| sqlx::query_as(STANDING_OF_ONE).bind(team).bind(user).fetch_all(pool).await)?;
        Ok(standings(&rows).pop())
    }

    /// The members of a team with what they may do, oldest first.
    pub async fn member_list(&self, team: TeamId) -> Result<Vec<Member>> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            user: User,
            #[sqlx(flatten)]
            standing: StandingRow,
        }
        let sql = concat!(
            "SELECT u.id, u.email, u.name, u.created_at, ",
            standing_columns!(),
            " FROM memberships m",
            standing_joins!(),
            "WHERE m.team_id = $1 ORDER BY m.created_at, m.user_id, g.id"
        );
        let rows: Vec<Row> = db!(self, |pool| sqlx::query_as(sql).bind(team).fetch_all(pool).await)?;
        let (mut users, rows): (Vec<_>, Vec<_>) = rows.into_iter().map(|row| (row.user, row.standing)).unzip();
        users.dedup();
        let members = users.into_iter().zip(standings(&rows));
        Ok(members.map(|(user, standing)| Member { user, created_by: standing.created_by, rights: standing.rights }).collect())
    }
}

impl Tx {
    /// Locks who may do what in a team until the transaction ends; `false` when there is no such team. Whatever changes members, roles or
    /// grants begins with this and reads after it, so that two changes which are right one by one are not wrong together.
    pub async fn team_lock(&mut self, team: TeamId) -> Result<bool> {
        let found: Option<TeamId> = match &mut self.0 {
            Open::Postgres(open) => {
                // Rows that refer to the team can be written meanwhile.
                let sql = "SELECT id FROM teams WHERE id = $1 FOR NO KEY UPDATE";
                sqlx::query_scalar(sql).bind(team).fetch_optional(&mut **open).await?
            }
            // The transaction began IMMEDIATE: the whole file is locked.
            Open::Sqlite { open, .. } => {
                sqlx::query_scalar("SELECT id FROM teams WHERE id = $1").bind(team).fetch_optional(&mut **open).await?
            }
        };
        Ok(found.is_some())
    }

    /// The address of a user, as this transaction sees it.
    pub async fn user_email(&mut self, user: UserId) -> Result<Option<String>> {
        let sql = "SELECT email FROM users WHERE id = $1";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(user).fetch_optional(conn).await)?)
    }

    /// The teams a user is in, by id.
    pub async fn team_list_of(&mut self, user: UserId) -> Result<Vec<TeamId>> {
        let sql = "SELECT team_id FROM memberships WHERE user_id = $1 ORDER BY team_id";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(user).fetch_all(conn).await)?)
    }

    /// A user's place in a team, and what that allows, as this transaction sees it.
    pub async fn standing_find(&mut self, team: TeamId, user: UserId) -> Result<Option<Standing>> {
        let rows: Vec<StandingRow> =
            tx!(self, |conn| sqlx::query_as(STANDING_OF_ONE).bind(team).bind(user).fetch_all(conn).await)?;
        Ok(standings(&rows).pop())
    }

    /// Adds a user that is a service account of whoever makes it. `Exists` when the address is taken.
    pub async fn service_account_insert(&mut self, account: &User, created_by: UserId) -> Result<()> {
        self.user_insert(account).await?;
        let sql = "UPDATE users SET created_by = $2 WHERE id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(account.id).bind(created_by).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Gives a user a role in a team, instead of the one it had.
    pub async fn membership_put(&mut self, membership: &Membership) -> Result<()> {
        let sql = "INSERT INTO memberships (team_id, user_id, role, role_id, created_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role, role_id = excluded.role_id, provider = NULL";
        let Membership { team_id, user_id, role } = membership;
        // Programs of before know no other roles than the built-in ones.
        let known = role.built_in().unwrap_or(Role::Viewer);
        tx!(self, |conn| sqlx::query(sql)
            .bind(team_id)
            .bind(user_id)
            .bind(known)
            .bind(role.custom())
            .bind(now())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Notes that a membership comes from a provider's groups, and goes with them.
    pub async fn membership_of_provider(&mut self, team: TeamId, user: UserId, provider: &str) -> Result<()> {
        let sql = "UPDATE memberships SET provider = $3 WHERE team_id = $1 AND user_id = $2";
        tx!(self, |conn| sqlx::query(sql).bind(team).bind(user).bind(provider).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// The teams in which a user is by a provider's groups.
    pub async fn membership_by_provider(&mut self, user: UserId, provider: &str) -> Result<Vec<TeamId>> {
        let sql = "SELECT team_id FROM memberships WHERE user_id = $1 AND provider = $2 ORDER BY team_id";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(user).bind(provider).fetch_all(conn).await)?)
    }

    /// In how many teams a user is.
    pub async fn membership_count(&mut self, user: UserId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM memberships WHERE user_id = $1";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(user).fetch_one(conn).await)?)
    }

    /// Takes a user out of a team, with what was granted there.
    pub async fn membership_delete(&mut self, team: TeamId, user: UserId) -> Result<bool> {
        let sql = "DELETE FROM memberships WHERE team_id = $1 AND user_id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(user))?;
        Ok(done == 1)
    }

    /// Returns the number of people who own a team. An earlier version may have made owners of service accounts, and of members
    /// with a custom role, which it does not know: these are not counted.
    pub async fn owner_count(&mut self, team: TeamId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.team_id = $1 AND m.role = 'owner' AND m.role_id IS NULL AND u.created_by IS NULL";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql).bind(team).fetch_one(conn).await)?)
    }
}
