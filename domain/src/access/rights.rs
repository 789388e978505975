use super::{Permission, Permissions, Role, RoleRef};
use crate::approval::Approval;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::id::{EnvironmentId, GrantId, ProjectId, UserId};

/// What something is done to. Where no part of a team is named it is the team, with all it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The team and all it has.
    Team,
    /// A project with its environments.
    Project(ProjectId),
    /// An environment of a project, with what is deployed there.
    Environment(ProjectId, EnvironmentId),
}

impl Target {
    /// Whether that is this, or a part of it.
    pub fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Team, _) => true,
            (Self::Project(own), Self::Project(other) | Self::Environment(other, _)) => own == other,
            (Self::Environment(..), Self::Environment(..)) => self == other,
            (Self::Project(_) | Self::Environment(..), _) => false,
        }
    }

    /// The project that it is or belongs to.
    pub fn project(self) -> Option<ProjectId> {
        match self {
            Self::Team => None,
            Self::Project(project) | Self::Environment(project, _) => Some(project),
        }
    }
}

impl From<&Environment> for Target {
    fn from(environment: &Environment) -> Self {
        Self::Environment(environment.project_id, environment.id)
    }
}

impl From<&Approval> for Target {
    fn from(approval: &Approval) -> Self {
        Self::Environment(approval.project_id, approval.environment_id)
    }
}

impl From<&Deployment> for Target {
    fn from(deployment: &Deployment) -> Self {
        Self::Environment(deployment.project_id, deployment.environment_id)
    }
}

/// A role that a member has on a part of the team, besides the one in the team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grant {
    /// Identity.
    pub id: GrantId,
    /// Which role.
    pub role: RoleRef,
    /// What that role includes at present.
    pub permissions: Permissions,
    /// On what.
    pub target: Target,
}

/// Whose rights a service account never exceeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    /// Who made the account.
    pub user_id: UserId,
    /// What they may do at present.
    pub rights: Rights,
}

/// What a member of a team may do there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rights {
    /// The role in the team.
    pub role: RoleRef,
    /// What that role includes at present.
    pub permissions: Permissions,
    /// What was granted besides.
    pub grants: Vec<Grant>,
    /// Whose rights these never exceed, for a service account.
    pub bound: Option<Box<Bound>>,
}

impl Rights {
    /// Those of a member with a built-in role and nothing besides.
    pub fn of(role: Role) -> Self {
        Self { role: RoleRef::BuiltIn(role), permissions: role.permissions(), grants: Vec::new(), bound: None }
    }

    /// Whether this may be done to that.
    pub fn allow(&self, permission: Permission, target: Target) -> bool {
        let granted = |grant: &Grant| grant.permissions.contains(permission) && grant.target.covers(target);
        let own = self.permissions.contains(permission) || self.grants.iter().any(granted);
        own && self.bound.as_ref().is_none_or(|bound| bound.rights.allow(permission, target))
    }

    /// Whether the member, and who made it if it is a service account, has one of these roles in the team.
    pub fn has_role(&self, among: &[Role]) -> bool {
        let own = self.role.built_in().is_some_and(|role| among.contains(&role));
        own && self.bound.as_ref().is_none_or(|bound| bound.rights.has_role(among))
    }
}
