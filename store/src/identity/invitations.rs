//! Users of other teams who were asked to join one.

use domain::access::{Role, RoleRef};
use domain::id::{InvitationId, RoleId, TeamId, UserId};
use domain::time::Timestamp;

use crate::db::{Store, Tx};
use crate::error::Result;

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Identity.
    pub id: InvitationId,
    /// To which team.
    pub team_id: TeamId,
    /// User who is invited.
    pub user_id: UserId,
    /// As what.
    pub role: RoleRef,
    /// By whom.
    pub invited_by: UserId,
    /// Expiry time.
    pub expires_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: InvitationId,
    team_id: TeamId,
    user_id: UserId,
    role: Role,
    role_id: Option<RoleId>,
    invited_by: UserId,
    expires_at: Timestamp,
}

impl From<Row> for Invitation {
    fn from(row: Row) -> Self {
        let Row { id, team_id, user_id, role, role_id, invited_by, expires_at } = row;
        Self { id, team_id, user_id, role: RoleRef::from_columns(role, role_id), invited_by, expires_at }
    }
}

macro_rules! invitation_columns {
    () => {
        "SELECT id, team_id, user_id, role, role_id, invited_by, expires_at FROM invitations "
    };
}

impl Store {
    /// The invitations of a team that stand, oldest first.
    pub async fn invitation_list(&self, team: TeamId, at: Timestamp) -> Result<Vec<Invitation>> {
        let sql = concat!(invitation_columns!(), "WHERE team_id = $1 AND expires_at > $2 ORDER BY id");
        let rows: Vec<Row> = db!(self, |pool| sqlx::query_as(sql).bind(team).bind(at).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(Invitation::from).collect())
    }

    /// The invitation with this digest, if it stands.
    pub async fn invitation_get(&self, hash: &str, at: Timestamp) -> Result<Option<Invitation>> {
        let sql = concat!(invitation_columns!(), "WHERE hash = $1 AND expires_at > $2");
        let row: Option<Row> = db!(self, |pool| sqlx::query_as(sql).bind(hash).bind(at).fetch_optional(pool).await)?;
        Ok(row.map(Invitation::from))
    }
}

impl Tx {
    /// Invites a user, in place of an earlier invitation to the same team.
    pub async fn invitation_put(&mut self, invitation: &Invitation, hash: &str) -> Result<()> {
        let sql = "INSERT INTO invitations (id, team_id, user_id, role, role_id, invited_by, hash, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (team_id, user_id) DO UPDATE SET id = excluded.id, role = excluded.role, role_id = excluded.role_id,
                invited_by = excluded.invited_by, hash = excluded.hash, expires_at = excluded.expires_at";
        let Invitation { id, team_id, user_id, role, invited_by, expires_at } = invitation;
        tx!(self, |conn| sqlx::query(sql)
            .bind(id)
            .bind(team_id)
            .bind(user_id)
            .bind(role.built_in().unwrap_or(Role::Viewer))
            .bind(role.custom())
            .bind(invited_by)
            .bind(hash)
            .bind(expires_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Uses up or takes back an invitation; `false` when it is gone.
    pub async fn invitation_delete(&mut self, team: TeamId, id: InvitationId) -> Result<bool> {
        let sql = "DELETE FROM invitations WHERE team_id = $1 AND id = $2";
        let done = changed!(self, sqlx::query(sql).bind(team).bind(id))?;
        Ok(done == 1)
    }
}
