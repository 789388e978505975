use serde::{Deserialize, Serialize};

use super::{Permission, Permissions};
use crate::id::{RoleId, TeamId};
use crate::time::Timestamp;

/// A role that every team has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum Role {
    /// May do everything, including what ends the team.
    Owner,
    /// May do everything but manage owners.
    Admin,
    /// May create and deploy projects.
    Developer,
    /// May look.
    Viewer,
}

impl Role {
    /// Every built-in role, the widest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];

    /// The name used in messages and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// The role with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Returns the permissions that the role includes.
    pub const fn permissions(self) -> Permissions {
        use Permission as P;
        match self {
            Self::Owner | Self::Admin => Permissions::ALL,
            Self::Developer => Permissions::of(&[
                P::ProjectRead,
                P::ProjectWrite,
                P::DeploymentWrite,
                P::VariableRead,
                P::VariableWrite,
                P::MemberRead,
                P::ApiKeyWrite,
                P::CloudRead,
            ]),
            Self::Viewer => Permissions::of(&[P::ProjectRead, P::MemberRead]),
        }
    }
}

/// A role: a built-in one, or one that the team made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoleRef {
    /// One that every team has.
    BuiltIn(Role),
    /// One that the team made.
    Custom(RoleId),
}

impl RoleRef {
    /// From the two columns that say it: the team's own role counts where there is one.
    pub fn from_columns(role: Role, custom: Option<RoleId>) -> Self {
        custom.map_or(Self::BuiltIn(role), Self::Custom)
    }

    /// The built-in role, if it is one.
    pub fn built_in(self) -> Option<Role> {
        match self {
            Self::BuiltIn(role) => Some(role),
            Self::Custom(_) => None,
        }
    }

    /// The id of the team's own role, if it is one.
    pub fn custom(self) -> Option<RoleId> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Custom(id) => Some(id),
        }
    }
}

/// A role that a team made from permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct CustomRole {
    /// Identity.
    pub id: RoleId,
    /// The team that made it.
    pub team_id: TeamId,
    /// Its name, which no other role of the team has.
    pub name: String,
    /// Permissions that it includes.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub permissions: Permissions,
    /// Creation time.
    pub created_at: Timestamp,
}
