//! Checks of permissions, and the user behind an actor.

use domain::access::{Actor, Permission, Target};
use domain::id::UserId;
use domain::team::User;

use crate::{Context, Result, ServiceError};

/// Addresses below this name reach nobody (RFC 2606), and nobody signs in with one.
pub const SERVICE_ACCOUNTS: &str = "service-account.invalid";

/// Returns true if an address is that of a service account.
pub fn is_service_account(email: &str) -> bool {
    email.rsplit_once('@').is_some_and(|(_, host)| host == SERVICE_ACCOUNTS)
}

/// Checks a permission on the whole team; the error names it.
pub fn require(actor: &Actor, permission: Permission) -> Result<()> {
    if actor.may(permission, Target::Team) { Ok(()) } else { Err(ServiceError::Denied(permission)) }
}

/// Checks a permission on something that rows have not been read for yet: who has it nowhere is refused, whatever there is.
pub fn require_somewhere(actor: &Actor, permission: Permission) -> Result<()> {
    if actor.may_somewhere(permission) { Ok(()) } else { Err(ServiceError::Denied(permission)) }
}

/// Checks a permission on a part of the team. For who may not even see it there is no such `noun`, unless they may do this nowhere
/// and so learn nothing from the refusal.
pub fn require_on(actor: &Actor, permission: Permission, target: Target, noun: &'static str) -> Result<()> {
    if actor.may(permission, target) {
        Ok(())
    } else if actor.may(Permission::ProjectRead, target) || !actor.may_somewhere(permission) {
        Err(ServiceError::Denied(permission))
    } else {
        Err(ServiceError::NotFound(noun))
    }
}

impl Context {
    /// The user behind the actor.
    pub async fn me(&self, actor: &Actor) -> Result<User> {
        self.user(actor.user_id).await
    }

    /// A user.
    pub async fn user(&self, id: UserId) -> Result<User> {
        self.store().user_get(id).await?.ok_or(ServiceError::NotFound("user"))
    }

    /// Checks that the actor may do this in the team, and is an operator.
    pub async fn require_operator(&self, actor: &Actor, permission: Permission) -> Result<()> {
        require(actor, permission)?;
        if self.store().user_is_operator(actor.user_id).await? {
            return Ok(());
        }
        Err(ServiceError::Denied(permission))
    }
}
