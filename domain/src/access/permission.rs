use std::fmt;
use std::ops::{BitAnd, BitOr};

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// One thing that can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// See the members of the team, its roles and grants.
    MemberRead,
    /// Say who may do what: members, service accounts, roles, grants, protected environments.
    MemberWrite,
    /// Create and revoke one's own API keys.
    ApiKeyWrite,
    /// Try jobs again and discard them.
    JobWrite,
    /// Approve and reject deployments of others to protected environments.
    DeploymentApprove,
    /// Read the audit log of the team and export it.
    AuditRead,
    /// See the connected cloud accounts and what exists in them.
    CloudRead,
    /// Connect, change and disconnect cloud accounts.
    CloudWrite,
}

impl Permission {
    /// Every permission, in the order the docs list them.
    pub const ALL: [Self; 14] = [
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
        Self::DeploymentApprove,
        Self::AuditRead,
        Self::CloudRead,
        Self::CloudWrite,
    ];

    /// The name used in scopes, roles and messages, such as `deployment-write`.
    pub const fn name(self) -> &'static str {
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
            Self::DeploymentApprove => "deployment-approve",
            Self::AuditRead => "audit-read",
            Self::CloudRead => "cloud-read",
            Self::CloudWrite => "cloud-write",
        }
    }

    /// The permission with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

/// A set of permissions. In JSON it is a list of names; names that this program does not know are left out of it: what is unknown is
/// denied.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// Nothing is allowed.
    pub const NONE: Self = Self(0);
    /// Everything is allowed.
    pub const ALL: Self = Self::of(&Permission::ALL);
    /// Those that programs know which read no others: the scopes of a key beyond these stand in a column of their own.
    pub const FIRST: Self = Self::ALL.without(Self::of(&[
        Permission::DeploymentApprove,
        Permission::AuditRead,
        Permission::CloudRead,
        Permission::CloudWrite,
    ]));

    /// Exactly these.
    pub const fn of(permissions: &[Permission]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < permissions.len() {
            bits |= 1 << permissions[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// Returns true if the set contains the permission.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Those that are not in the other set.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns true if the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.contains(*permission))
    }

    /// Their names.
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Permission::name).collect()
    }
}

impl BitAnd for Permissions {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Permissions {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::NONE, |set, permission| set | Self::of(&[permission]))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Permissions;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of names of permissions")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Permissions, A::Error> {
                let mut set = Permissions::NONE;
                while let Some(name) = names.next_element::<String>()? {
                    set = set | Permission::from_name(&name).into_iter().collect();
                }
                Ok(set)
            }
        }
        deserializer.deserialize_seq(Names)
    }
}
