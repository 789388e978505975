//! Who is in a team.

use domain::access::{Actor, Permission, Role};
use domain::id::UserId;
use domain::secret::Secret;
use domain::team::{Membership, Team, User};
use domain::time::now;
use store::StoreError;

use crate::auth::signin_link;
use crate::{Result, ServiceError, Services, require};

/// A member of a team.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub user: User,
    /// What they are in the team.
    pub role: Role,
}

impl Services {
    /// The user behind the actor.
    pub async fn me(&self, actor: &Actor) -> Result<User> {
        self.store().user_get(actor.user_id).await?.ok_or(ServiceError::NotFound("user"))
    }

    /// The team the actor works in.
    pub async fn team(&self, actor: &Actor) -> Result<Team> {
        self.store().team_get(actor.team_id).await?.ok_or(ServiceError::NotFound("team"))
    }

    /// The members of the actor's team.
    pub async fn members(&self, actor: &Actor) -> Result<Vec<Member>> {
        require(actor, Permission::MemberRead)?;
        let members = self.store().member_list(actor.team_id).await?;
        Ok(members.into_iter().map(|(user, role)| Member { user, role }).collect())
    }

    /// Adds somebody new to the team and returns the token of their one-time sign-in link.
    pub async fn add_member(&self, actor: &Actor, email: &str, name: &str, role: Role) -> Result<(Member, Secret)> {
        require(actor, Permission::MemberWrite)?;
        check_role(actor, role)?;
        let email = email.trim().to_lowercase();
        let plausible = email.len() <= 254
            && email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
            && !email.contains(|c: char| c.is_whitespace() || c.is_control());
        if !plausible {
            return Err(ServiceError::invalid("email", "INVALID_EMAIL", "give an e-mail address such as ada@example.org"));
        }
        let name: String = if name.trim().is_empty() { email.clone() } else { name.trim().chars().take(100).collect() };
        let user = User { id: UserId::new(), email, name, created_at: now() };
        let mut tx = self.store().begin().await?;
        tx.user_insert(&user).await.map_err(|error| match error {
            StoreError::Exists => ServiceError::invalid("email", "TAKEN", "a user with this address exists already"),
            error => error.into(),
        })?;
        tx.membership_put(&Membership { team_id: actor.team_id, user_id: user.id, role }).await?;
        let link = signin_link(&mut tx, user.id).await?;
        tx.commit().await?;
        Ok((Member { user, role }, link))
    }

    /// Gives a member another role. A team keeps at least one owner.
    pub async fn set_member_role(&self, actor: &Actor, user: UserId, role: Role) -> Result<()> {
        self.change_member(actor, user, Some(role)).await
    }

    /// Takes a member out of the team. A team keeps at least one owner.
    pub async fn remove_member(&self, actor: &Actor, user: UserId) -> Result<()> {
        self.change_member(actor, user, None).await
    }

    async fn change_member(&self, actor: &Actor, user: UserId, role: Option<Role>) -> Result<()> {
        require(actor, Permission::MemberWrite)?;
        let present = self.store().membership_get(actor.team_id, user).await?.ok_or(ServiceError::NotFound("member"))?;
        check_role(actor, present.role)?;
        let mut tx = self.store().begin().await?;
        match role {
            Some(role) => {
                check_role(actor, role)?;
                tx.membership_put(&Membership { team_id: actor.team_id, user_id: user, role }).await?;
            }
            None => {
                tx.membership_delete(actor.team_id, user).await?;
            }
        }
        if tx.owner_count(actor.team_id).await? == 0 {
            return Err(ServiceError::invalid(
                "userId",
                "LAST_OWNER",
                "a team keeps at least one owner: make somebody else owner first",
            ));
        }
        let _rights = self.inner.recent.change();
        tx.commit().await?;
        Ok(())
    }
}

/// Only owners deal with owners.
fn check_role(actor: &Actor, role: Role) -> Result<()> {
    if role == Role::Owner && actor.role != Role::Owner {
        return Err(ServiceError::invalid("role", "OWNERS_ONLY", "only an owner can make, change or remove owners"));
    }
    Ok(())
}
