//! Authorization. The decision is [`Actor::may`] and nothing else; everything that is not listed is denied.

mod origin;
mod permission;
mod rights;
mod role;
#[cfg(test)]
mod tests;

pub use origin::Origin;
pub use permission::{Permission, Permissions};
pub use rights::{Bound, Grant, Rights, Target};
pub use role::{CustomRole, Role, RoleRef};

use std::sync::Arc;

use crate::id::{ApiKeyId, GitConnectionId, ScheduleId, SessionId, TeamId, UserId};
use crate::time::Timestamp;

/// Credential that the actor presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An access token of a session.
    Session(SessionId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// None: a schedule acts for who made it.
    Schedule(ScheduleId),
    /// None: a connection to a Git host acts for who made it.
    GitConnection(GitConnectionId),
}

/// Actor of a use case: user, team and rights. Every use case takes one.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The user.
    pub user_id: UserId,
    /// The team the request acts in.
    pub team_id: TeamId,
    /// Rights of the user in that team, as they were a moment ago.
    pub rights: Arc<Rights>,
    /// Permissions that the credential is limited to; `None` for a session, which has all of the user's rights.
    pub scopes: Option<Permissions>,
    /// Credential that was presented.
    pub credential: Credential,
    /// Expiry of the credential; `None` if only the store knows it.
    pub expires_at: Option<Timestamp>,
    /// Origin of the request; `None` without a request, as with a schedule.
    pub origin: Option<Arc<Origin>>,
}

impl Actor {
    /// The same, asking from somewhere.
    #[must_use]
    pub fn from(mut self, origin: &Arc<Origin>) -> Self {
        self.origin = Some(Arc::clone(origin));
        self
    }

    /// Returns true if the actor has the permission for the target: both the scopes of the credential and the user's rights there
    /// include it.
    pub fn may(&self, permission: Permission, target: Target) -> bool {
        self.scopes.is_none_or(|scopes| scopes.contains(permission)) && self.rights.allow(permission, target)
    }

    /// Returns true if the actor has the permission for any target.
    pub fn may_somewhere(&self, permission: Permission) -> bool {
        self.targets().any(|target| self.may(permission, target))
    }

    /// The team, and every part of it that grants name: whatever may be done somewhere may be done to one of these.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        let granted = std::iter::successors(Some(&*self.rights), |rights| rights.bound.as_ref().map(|bound| &bound.rights));
        std::iter::once(Target::Team).chain(granted.flat_map(|rights| rights.grants.iter().map(|grant| grant.target)))
    }

    /// All that the actor may do to this.
    pub fn permissions(&self, target: Target) -> Permissions {
        Permission::ALL.into_iter().filter(|permission| self.may(*permission, target)).collect()
    }

    /// The person who answers for what the actor does: the user, or for a service account who made it.
    pub fn answerable(&self) -> UserId {
        self.rights.bound.as_ref().map_or(self.user_id, |bound| bound.user_id)
    }
}
