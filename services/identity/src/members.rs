//! Members of a team.

use domain::access::{Actor, Bound, Permission, Permissions, Rights, Role, RoleRef, Target};
use domain::id::{InvitationId, TeamId, UserId};
use domain::secret::Secret;
use domain::team::{Member, Membership, Standing, User};
use domain::time::now;
use serde_json::json;
use services_core::access::SERVICE_ACCOUNTS;
use services_core::audit::{Action, AuditEntry, record, role_shown};
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError, require};
use services_notifications::{Inviter, Link};
use store::{LinkMaker, StoreError, Tx};

use crate::Members;
use crate::auth::{LINK_LIFETIME, signin_link, token_hash};
use crate::roles::{check_within, role_permissions};

/// Result of adding a user to a team.
pub enum Added {
    /// A member, with the token of their one-time sign-in link, unless it was mailed to them.
    Member(Member, Option<Secret>),
    /// Somebody who has an account here already was invited: the token of their invitation, unless it was mailed to them.
    Invited(InvitationId, Option<Secret>),
}

impl Members {
    /// The members of the actor's team.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Member>> {
        require(actor, Permission::MemberRead)?;
        Ok(self.store().member_list(actor.team_id).await?)
    }

    /// Adds somebody new to the team, or invites who has an account here already. Who was added and never came gets a new link.
    pub async fn add(&self, actor: &Actor, email: &str, name: &str, role: RoleRef) -> Result<Added> {
        let entry = AuditEntry::new(Action::MemberAdd);
        self.audit_denial(actor, &entry, require(actor, Permission::MemberWrite)).await?;
        let email = email.trim().to_lowercase();
        let plausible = email.len() <= 254
            && email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
            && !email.contains(|c: char| c.is_whitespace() || c.is_control());
        if !plausible {
            return Err(ServiceError::invalid("email", "INVALID_EMAIL", "give an e-mail address such as ada@example.org"));
        }
        if name.trim().contains(char::is_control) {
            // Others read it in their terminals.
            return Err(ServiceError::invalid("name", "INVALID_NAME", "give a name on one line, without control characters"));
        }
        let name: String = if name.trim().is_empty() { email.clone() } else { name.trim().chars().take(100).collect() };
        let user = User { id: UserId::new(), email, name, created_at: now() };
        let by_mail = self.letters().writes_to(actor, &user.email).await?;
        let mut tx = self.change_rights(actor).await?;
        let rights = rights_to_give(&mut tx, actor, role).await?;
        if let Some(known) = tx.user_by_email(&user.email).await? {
            return self.add_known(tx, actor, known, role, entry, by_mail.as_ref()).await;
        }
        tx.user_insert(&user).await.map_err(|error| match error {
            StoreError::Exists => {
                ServiceError::Unavailable("somebody else adds this address at this moment: try again".to_owned())
            }
            error => error.into(),
        })?;
        tx.membership_put(&Membership { team_id: actor.team_id, user_id: user.id, role }).await?;
        let link = self.sign_in_link(&mut tx, actor, user.id, by_mail.as_ref()).await?;
        let after = json!({"email": user.email, "name": user.name, "role": role_shown(role)});
        record(&mut tx, actor, entry.on("member", user.id).named(&user.email).after(after)).await?;
        tx.commit().await?;
        Ok(Added::Member(Member { user, created_by: None, rights }, link))
    }

    async fn add_known(
        &self,
        mut tx: UnitOfWork,
        actor: &Actor,
        user: User,
        role: RoleRef,
        entry: AuditEntry,
        by_mail: Option<&Inviter>,
    ) -> Result<Added> {
        let entry = entry.on("member", user.id).named(&user.email);
        let added = match tx.standing_find(actor.team_id, user.id).await? {
            None => {
                let (id, token) = self.invitations().create(&mut tx, actor, user.id, role).await?;
                Added::Invited(id, self.mailed(&mut tx, actor, user.id, Link::Invitation, token, by_mail).await?)
            }
            Some(standing) if standing.rights.role == role && !tx.user_was_in(user.id).await? => {
                check_owner(actor, standing.rights.role)?;
                // Whoever holds the link is the member, with all that was granted to it.
                check_grants_within(actor, &standing.rights, "email")?;
                let link = self.sign_in_link(&mut tx, actor, user.id, by_mail).await?;
                Added::Member(Member { user, created_by: None, rights: standing.rights }, link)
            }
            Some(_) => return Err(ServiceError::invalid("email", "TAKEN", "somebody with this address is in the team already")),
        };
        let is_invited = matches!(added, Added::Invited(..));
        let after = json!({"role": role_shown(role), "invited": is_invited});
        record(&mut tx, actor, entry.after(after)).await?;
        tx.commit().await?;
        Ok(added)
    }

    /// A one-time sign-in link for somebody who was added; `None` when it is mailed to them.
    async fn sign_in_link(
        &self,
        tx: &mut UnitOfWork,
        actor: &Actor,
        user: UserId,
        by_mail: Option<&Inviter>,
    ) -> Result<Option<Secret>> {
        let token = signin_link(tx, user).await?;
        if by_mail.is_none() {
            let maker = LinkMaker { team_id: actor.team_id, user_id: actor.user_id, scopes: actor.scopes };
            tx.signin_link_set_maker(&token_hash(token.expose()), &maker).await?;
        }
        self.mailed(tx, actor, user, Link::SignIn, token, by_mail).await
    }

    /// Writes a letter with a token where that is mailed, and gives it back where it is not.
    async fn mailed(
        &self,
        tx: &mut UnitOfWork,
        actor: &Actor,
        user: UserId,
        link: Link,
        token: Secret,
        by_mail: Option<&Inviter>,
    ) -> Result<Option<Secret>> {
        let Some(inviter) = by_mail else { return Ok(Some(token)) };
        let expires_at = now() + if matches!(link, Link::SignIn) { LINK_LIFETIME } else { crate::invitations::LIFETIME };
        self.letters().write(tx, actor, user, (inviter, link), &token, expires_at).await?;
        Ok(None)
    }

    /// Adds a service account: a member that does not sign in and acts by API keys. It never does more than who made it.
    pub async fn create_service_account(&self, actor: &Actor, name: &str, role: RoleRef) -> Result<Member> {
        let entry = AuditEntry::new(Action::ServiceAccountCreate);
        self.audit_denial(actor, &entry, require(actor, Permission::MemberWrite)).await?;
        if actor.rights.bound.is_some() {
            let message = "service accounts make no others: let a person do it";
            return Err(ServiceError::invalid("name", "SERVICE_ACCOUNT", message));
        }
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
            return Err(ServiceError::invalid("name", "INVALID_NAME", "say in 1 to 100 characters what the account is for"));
        }
        if role == RoleRef::BuiltIn(Role::Owner) {
            return Err(owned_by_nobody());
        }
        let id = UserId::new();
        let email = format!("{}@{SERVICE_ACCOUNTS}", id.uuid().simple());
        let user = User { id, email, name: name.to_owned(), created_at: now() };
        let mut tx = self.change_rights(actor).await?;
        let rights = rights_to_give(&mut tx, actor, role).await?;
        tx.service_account_insert(&user, actor.user_id).await?;
        tx.membership_put(&Membership { team_id: actor.team_id, user_id: id, role }).await?;
        let after = json!({"name": user.name, "role": role_shown(role)});
        record(&mut tx, actor, entry.on("service_account", id).named(&user.name).after(after)).await?;
        tx.commit().await?;
        Ok(Member { user, created_by: Some(actor.user_id), rights })
    }

    /// Gives a member another role. A team keeps at least one owner.
    pub async fn set_role(&self, actor: &Actor, user: UserId, role: RoleRef) -> Result<()> {
        self.change_member(actor, user, Some(role)).await
    }

    /// Takes a member out of the team. A team keeps at least one owner.
    pub async fn remove(&self, actor: &Actor, user: UserId) -> Result<()> {
        self.change_member(actor, user, None).await
    }

    async fn change_member(&self, actor: &Actor, user: UserId, role: Option<RoleRef>) -> Result<()> {
        let entry = AuditEntry::new(if role.is_some() { Action::MemberSetRole } else { Action::MemberRemove }).on("member", user);
        self.audit_denial(actor, &entry, require(actor, Permission::MemberWrite)).await?;
        let mut tx = self.change_rights(actor).await?;
        let present = tx.standing_find(actor.team_id, user).await?.ok_or(ServiceError::NotFound("member"))?;
        check_owner(actor, present.rights.role)?;
        check_within(actor, present.rights.permissions, Target::Team, "userId")?;
        if let Some(role) = role {
            rights_to_give(&mut tx, actor, role).await?;
            if role == RoleRef::BuiltIn(Role::Owner) && present.created_by.is_some() {
                return Err(owned_by_nobody());
            }
            tx.membership_put(&Membership { team_id: actor.team_id, user_id: user, role }).await?;
        } else {
            // Their grants go with them.
            check_grants_within(actor, &present.rights, "userId")?;
            tx.membership_delete(actor.team_id, user).await?;
        }
        if tx.owner_count(actor.team_id).await? == 0 {
            return Err(ServiceError::invalid(
                "userId",
                "LAST_OWNER",
                "a team keeps at least one owner: make somebody else owner first",
            ));
        }
        let email = tx.user_email(user).await?.unwrap_or_default();
        let mut entry = entry.named(email).before(json!({"role": role_shown(present.rights.role)}));
        if let Some(role) = role {
            entry = entry.after(json!({"role": role_shown(role)}));
        }
        record(&mut tx, actor, entry).await?;
        tx.hold(self.actors().change());
        tx.commit().await?;
        Ok(())
    }

    /// A transaction that nobody else changes the rights of the team in. What the actor may do was looked up a moment ago, perhaps in
    /// another process than the one that changed it since: here it has to stand.
    pub(crate) async fn change_rights(&self, actor: &Actor) -> Result<UnitOfWork> {
        let mut tx = self.begin().await?;
        if !tx.team_lock(actor.team_id).await? {
            return Err(ServiceError::NotFound("team"));
        }
        let present = rights_in(&mut tx, actor.team_id, actor.user_id).await?;
        if present.as_ref() != Some(&*actor.rights) {
            // Whoever tries again is looked up anew.
            drop(self.actors().change());
            return Err(ServiceError::Unavailable("what you may do has changed a moment ago: try again".to_owned()));
        }
        Ok(tx)
    }
}

/// Returns the rights of a user in a team as a transaction sees them; a service account has no more than its creator, and none
/// once they left.
async fn rights_in(tx: &mut Tx, team: TeamId, user: UserId) -> Result<Option<Rights>> {
    let Some(Standing { created_by, mut rights, .. }) = tx.standing_find(team, user).await? else { return Ok(None) };
    if let Some(user_id) = created_by {
        let Some(maker) = tx.standing_find(team, user_id).await? else { return Ok(None) };
        rights.bound = Some(Box::new(Bound { user_id, rights: maker.rights }));
    }
    Ok(Some(rights))
}

/// Nobody deals with a member that was granted more than they have themselves.
fn check_grants_within(actor: &Actor, rights: &Rights, field: &'static str) -> Result<()> {
    rights.grants.iter().try_for_each(|grant| check_within(actor, grant.permissions, grant.target, field))
}

/// Refuses a sign-in link whose user may do more by now than whoever was given the link: they could sign in with it themselves.
pub(crate) async fn check_link_maker(tx: &mut Tx, user: UserId, maker: &LinkMaker) -> Result<()> {
    const OUTGROWN: ServiceError = ServiceError::Unauthenticated(
        "this sign-in link has lost its force: its account may do more by now than who made the link; ask somebody who may do as much \
         to add the address again",
    );
    for team in tx.team_list_of(user).await? {
        // Nobody grants anything between the look and the use.
        tx.team_lock(team).await?;
        let Some(Standing { rights: held, .. }) = tx.standing_find(team, user).await? else { continue };
        let own = if team == maker.team_id { rights_in(tx, team, maker.user_id).await? } else { None };
        let own = own.ok_or(OUTGROWN)?;
        let may =
            |permission, target| maker.scopes.is_none_or(|scopes| scopes.contains(permission)) && own.allow(permission, target);
        let within = |permissions: Permissions, target| permissions.iter().all(|permission| may(permission, target));
        let is_owner = held.role == RoleRef::BuiltIn(Role::Owner) && !own.has_role(&[Role::Owner]);
        let all = within(held.permissions, Target::Team)
            && held.grants.iter().all(|grant| within(grant.permissions, grant.target))
            && may(Permission::MemberWrite, Target::Team);
        if is_owner || !all {
            return Err(OUTGROWN);
        }
    }
    Ok(())
}

/// Returns the rights that a role gives to a member, after checking that the actor may give it.
async fn rights_to_give(tx: &mut Tx, actor: &Actor, role: RoleRef) -> Result<Rights> {
    check_owner(actor, role)?;
    let permissions = role_permissions(tx, actor, role).await?;
    check_within(actor, permissions, Target::Team, "role")?;
    Ok(Rights { role, permissions, grants: Vec::new(), bound: None })
}

fn owned_by_nobody() -> ServiceError {
    ServiceError::invalid("role", "SERVICE_ACCOUNT", "a service account cannot be owner: give it another role")
}

/// Only owners deal with owners.
fn check_owner(actor: &Actor, role: RoleRef) -> Result<()> {
    if role == RoleRef::BuiltIn(Role::Owner) && !actor.rights.has_role(&[Role::Owner]) {
        return Err(ServiceError::invalid("role", "OWNERS_ONLY", "only an owner can make, change or remove owners"));
    }
    Ok(())
}
