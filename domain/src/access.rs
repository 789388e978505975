//! Who may do what. The decision is [`Actor::may`] and nothing else; all that is not listed is denied.

use serde::{Deserialize, Serialize};

use crate::id::{ApiKeyId, ScheduleId, SessionId, TeamId, UserId};
use crate::time::Timestamp;

/// What a member of a team is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
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

/// One thing that can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// See projects, environments, deployments, events and logs.
    ProjectRead,
    /// Create and change projects and environments.
    ProjectWrite,
    /// Delete a project and all it has on a cloud.
    ProjectDelete,
    /// Trigger, promote, roll back and cancel deployments.
    DeploymentWrite,
    /// See the names of environment variables (values are never shown).
    VariableRead,
    /// Set and unset environment variables.
    VariableWrite,
    /// See the members of the team.
    MemberRead,
    /// Add, change and remove members.
    MemberWrite,
    /// Create and revoke one's own API keys.
    ApiKeyWrite,
    /// Try jobs again and discard them.
    JobWrite,
}

impl Permission {
    /// Every permission, in the order the docs list them.
    pub const ALL: [Self; 10] = [
        Self::ProjectRead,
        Self::ProjectWrite,
        Self::ProjectDelete,
        Self::DeploymentWrite,
        Self::VariableRead,
        Self::VariableWrite,
        Self::MemberRead,
        Self::MemberWrite,
        Self::ApiKeyWrite,
        Self::JobWrite,
    ];

    /// The name used in scopes and messages, such as `deployment-write`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProjectRead => "project-read",
            Self::ProjectWrite => "project-write",
            Self::ProjectDelete => "project-delete",
            Self::DeploymentWrite => "deployment-write",
            Self::VariableRead => "variable-read",
            Self::VariableWrite => "variable-write",
            Self::MemberRead => "member-read",
            Self::MemberWrite => "member-write",
            Self::ApiKeyWrite => "api-key-write",
            Self::JobWrite => "job-write",
        }
    }

    /// The permission with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

impl Role {
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
        [Self::Owner, Self::Admin, Self::Developer, Self::Viewer].into_iter().find(|role| role.name() == name)
    }

    /// Whether the role includes a permission.
    pub fn includes(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Owner | Self::Admin => true,
            Self::Developer => matches!(
                permission,
                P::ProjectRead
                    | P::ProjectWrite
                    | P::DeploymentWrite
                    | P::VariableRead
                    | P::VariableWrite
                    | P::MemberRead
                    | P::ApiKeyWrite
            ),
            Self::Viewer => matches!(permission, P::ProjectRead | P::MemberRead),
        }
    }
}

/// What the actor showed to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An access token of a session.
    Session(SessionId),
    /// An API key.
    ApiKey(ApiKeyId),
    /// None: a schedule acts for who made it.
    Schedule(ScheduleId),
}

/// Who asks, in which team, with which rights. Every use case takes one.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The user.
    pub user_id: UserId,
    /// The team the request acts in.
    pub team_id: TeamId,
    /// The user's role in that team.
    pub role: Role,
    /// What the credential is limited to; `None` for a session, which may do all the role may.
    pub scopes: Option<Vec<Permission>>,
    /// What was shown.
    pub credential: Credential,
    /// From when on it is no longer good; `None` when only the store knows.
    pub expires_at: Option<Timestamp>,
}

impl Actor {
    /// Whether the actor may do this: the role includes it, and so do the key's scopes.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.includes(permission) && self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role, scopes: Option<Vec<Permission>>) -> Actor {
        let credential = Credential::Session(SessionId::new());
        Actor { user_id: UserId::new(), team_id: TeamId::new(), role, scopes, credential, expires_at: None }
    }

    #[test]
    fn the_table_of_roles() {
        let table: Vec<String> = [Role::Owner, Role::Admin, Role::Developer, Role::Viewer]
            .into_iter()
            .map(|role| {
                let allowed: Vec<_> =
                    Permission::ALL.into_iter().filter(|p| actor(role, None).may(*p)).map(Permission::name).collect();
                format!("{}: {}", role.name(), allowed.join(" "))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        owner: project-read project-write project-delete deployment-write variable-read variable-write member-read member-write api-key-write job-write
        admin: project-read project-write project-delete deployment-write variable-read variable-write member-read member-write api-key-write job-write
        developer: project-read project-write deployment-write variable-read variable-write member-read api-key-write
        viewer: project-read member-read
        ");
    }

    #[test]
    fn a_key_never_does_more_than_its_role_or_its_scopes() {
        let key = actor(Role::Viewer, Some(vec![Permission::ProjectRead, Permission::DeploymentWrite]));
        assert!(key.may(Permission::ProjectRead));
        assert!(!key.may(Permission::DeploymentWrite));
        assert!(!actor(Role::Owner, Some(vec![])).may(Permission::ProjectRead));
    }

    #[test]
    fn names_and_permissions_match_both_ways() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_name(permission.name()), Some(permission));
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.name());
        }
    }
}
