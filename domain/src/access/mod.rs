//! Who may do what. The decision is [`Actor::may`] and nothing else; all that is not listed is denied.

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

/// What the actor showed to be let in.
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

/// Who asks, in which team, with which rights. Every use case takes one.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The user.
    pub user_id: UserId,
    /// The team the request acts in.
    pub team_id: TeamId,
    /// What the user may do in that team, as it was a moment ago.
    pub rights: Arc<Rights>,
    /// What the credential is limited to; `None` for a session, which may do all that the user may.
    pub scopes: Option<Permissions>,
    /// What was shown.
    pub credential: Credential,
    /// From when on it is no longer good; `None` when only the store knows.
    pub expires_at: Option<Timestamp>,
    /// Where the request came from; `None` when nobody asks, as with a schedule.
    pub origin: Option<Arc<Origin>>,
}

impl Actor {
    /// The same, asking from somewhere.
    #[must_use]
    pub fn from(mut self, origin: &Arc<Origin>) -> Self {
        self.origin = Some(Arc::clone(origin));
        self
    }

    /// Whether the actor may do this to that: the scopes of the credential have it, and so do the user's rights there.
    pub fn may(&self, permission: Permission, target: Target) -> bool {
        self.scopes.is_none_or(|scopes| scopes.contains(permission)) && self.rights.allow(permission, target)
    }

    /// Whether there is anything that the actor may do this to.
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
