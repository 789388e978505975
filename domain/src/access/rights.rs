use super::{Permission, Permissions, Role, RoleRef};
use crate::approval::Approval;
use crate::deployment::Deployment;
use crate::environment::Environment;
use crate::id::{EnvironmentId, GrantId, ProjectId, UserId};

/// Target of an action. It is the team, with all it has, where no part of a team is named.
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
    /// Returns true if the other target is this one, or a part of it.
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
    /// Role that is granted.
    pub role: RoleRef,
    /// Permissions that the role includes at present.
    pub permissions: Permissions,
    /// On what.
    pub target: Target,
}

/// Upper bound of a service account's rights: the rights of its creator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    /// Creator of the account.
    pub user_id: UserId,
    /// Present rights of the creator.
    pub rights: Rights,
}

/// Rights of a member in a team.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rights {
    /// The role in the team.
    pub role: RoleRef,
    /// Permissions that the role includes at present.
    pub permissions: Permissions,
    /// Grants in addition to the role.
    pub grants: Vec<Grant>,
    /// Upper bound of these rights, for a service account.
    pub bound: Option<Box<Bound>>,
}

impl Rights {
    /// Those of a member with a built-in role and nothing besides.
    pub fn of(role: Role) -> Self {
        Self { role: RoleRef::BuiltIn(role), permissions: role.permissions(), grants: Vec::new(), bound: None }
    }

    /// Returns true if the permission is granted for the target.
    pub fn allow(&self, permission: Permission, target: Target) -> bool {
        let granted = |grant: &Grant| grant.permissions.contains(permission) && grant.target.covers(target);
        let own = self.permissions.contains(permission) || self.grants.iter().any(granted);
        own && self.bound.as_ref().is_none_or(|bound| bound.rights.allow(permission, target))
    }

    /// Returns true if the member has one of these roles in the team, and so does its creator if it is a service account.
    pub fn has_role(&self, among: &[Role]) -> bool {
        let own = self.role.built_in().is_some_and(|role| among.contains(&role));
        own && self.bound.as_ref().is_none_or(|bound| bound.rights.has_role(among))
    }
}
