//! Inviting somebody to a team who has an account here already: nobody is put into a team without saying yes.

use chrono::TimeDelta;
use domain::access::{Actor, Permission, Permissions, Role, RoleRef};
use domain::id::{InvitationId, TeamId, UserId};
use domain::secret::Secret;
use domain::team::{Membership, User};
use domain::time::now;
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record, record_in_team, role_shown};
use services_core::{Result, ServiceError, require};
use store::{Invitation, Tx};

use crate::Invitations;
use crate::auth::{Account, random_token, token_hash};

pub(crate) const LIFETIME: TimeDelta = TimeDelta::days(7);

/// An invitation as the team sees it.
#[derive(Debug, Clone)]
pub struct PendingInvitation {
    /// The stored invitation.
    pub invitation: Invitation,
    /// User who is invited.
    pub user: User,
}

/// Question to a user who is invited.
#[derive(Debug, Clone)]
pub struct InvitationQuestion {
    /// The team's name.
    pub team: String,
    /// The role's name.
    pub role: String,
    /// User who invites.
    pub invited_by: String,
}

fn gone() -> ServiceError {
    let message = "this invitation was used, taken back or has expired, or it is for another account: ask for a new one";
    ServiceError::invalid("token", "UNKNOWN_INVITATION", message)
}

impl Invitations {
    /// Invites a user within a transaction of the actor's that has checked the role; the token of the link.
    pub(crate) async fn create(&self, tx: &mut Tx, actor: &Actor, user: UserId, role: RoleRef) -> Result<(InvitationId, Secret)> {
        if actor.rights.bound.is_some() {
            let message = "somebody with this address has an account already: let a person of the team invite them";
            return Err(ServiceError::invalid("email", "SERVICE_ACCOUNT", message));
        }
        let (id, token) = (InvitationId::new(), random_token(""));
        let (team_id, invited_by) = (actor.team_id, actor.user_id);
        let invitation = Invitation { id, team_id, user_id: user, role, invited_by, expires_at: now() + LIFETIME };
        tx.invitation_put(&invitation, &token_hash(token.expose())).await?;
        Ok((id, token))
    }

    /// The invitations of the actor's team that nobody answered yet, oldest first.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<PendingInvitation>> {
        require(actor, Permission::MemberRead)?;
        let mut pending = Vec::new();
        for invitation in self.store().invitation_list(actor.team_id, now()).await? {
            if let Some(user) = self.store().user_get(invitation.user_id).await? {
                pending.push(PendingInvitation { invitation, user });
            }
        }
        Ok(pending)
    }

    /// Takes an invitation back.
    pub async fn revoke(&self, actor: &Actor, id: InvitationId) -> Result<()> {
        let entry = AuditEntry::new(Action::InvitationRevoke).on("invitation", id);
        self.audit_denial(actor, &entry, require(actor, Permission::MemberWrite)).await?;
        let mut tx = self.begin().await?;
        if !tx.invitation_delete(actor.team_id, id).await? {
            return Err(ServiceError::NotFound("invitation"));
        }
        record(&mut tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Returns the question of an invitation.
    pub async fn question(&self, account: &Account, token: &str) -> Result<InvitationQuestion> {
        let invitation = self.invitation_of(account, token).await?;
        let team = self.store().team_get(invitation.team_id).await?.ok_or_else(gone)?;
        let role = match invitation.role {
            RoleRef::BuiltIn(role) => role.name().to_owned(),
            RoleRef::Custom(id) => self.store().role_get(invitation.team_id, id).await?.ok_or_else(gone)?.name,
        };
        let invited_by = self.store().user_get(invitation.invited_by).await?.ok_or_else(gone)?.name;
        Ok(InvitationQuestion { team: team.name, role, invited_by })
    }

    /// Joins the team. Who invites must still be allowed to.
    pub async fn accept(&self, account: &Account, token: &str) -> Result<TeamId> {
        let invitation = self.invitation_of(account, token).await?;
        let Invitation { id, team_id, user_id, role, invited_by, .. } = invitation;
        let mut tx = self.begin().await?;
        if !tx.team_lock(team_id).await? || !tx.invitation_delete(team_id, id).await? {
            return Err(gone());
        }
        let allowed = match role {
            RoleRef::BuiltIn(role) => role.permissions(),
            RoleRef::Custom(id) => tx.role_find(team_id, id).await?.ok_or_else(gone)?.permissions,
        };
        let inviter = tx.standing_find(team_id, invited_by).await?.ok_or_else(gone)?.rights;
        let needed = allowed | Permissions::of(&[Permission::MemberWrite]);
        let may = needed.iter().all(|permission| inviter.permissions.contains(permission));
        if !may || (role == RoleRef::BuiltIn(Role::Owner) && !inviter.has_role(&[Role::Owner])) {
            return Err(gone());
        }
        if tx.standing_find(team_id, user_id).await?.is_none() {
            tx.membership_put(&Membership { team_id, user_id, role }).await?;
        }
        let entry = AuditEntry::new(Action::InvitationAccept).on("invitation", id).after(json!({"role": role_shown(role)}));
        record_in_team(&mut tx, team_id, user_id, &account.origin, entry).await?;
        tx.hold(self.actors().change());
        tx.commit().await?;
        Ok(team_id)
    }

    /// Answers an invitation with no.
    pub async fn decline(&self, account: &Account, token: &str) -> Result<()> {
        let invitation = self.invitation_of(account, token).await?;
        let mut tx = self.begin().await?;
        tx.invitation_delete(invitation.team_id, invitation.id).await?;
        let entry = AuditEntry::new(Action::InvitationDecline).on("invitation", invitation.id);
        record_in_team(&mut tx, invitation.team_id, invitation.user_id, &account.origin, entry).await?;
        Ok(tx.commit().await?)
    }

    async fn invitation_of(&self, account: &Account, token: &str) -> Result<Invitation> {
        let found = self.store().invitation_get(&token_hash(token), now()).await?;
        found.filter(|invitation| invitation.user_id == account.user_id).ok_or_else(gone)
    }
}
