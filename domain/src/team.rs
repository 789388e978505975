//! People and the teams they work in.

use serde::Serialize;

use crate::access::{Permissions, Rights, RoleRef};
use crate::id::{ApiKeyId, TeamId, UserId};
use crate::time::Timestamp;

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// Address used to sign in, lower case.
    pub email: String,
    /// Name shown to others.
    pub name: String,
    /// Creation time of the user.
    pub created_at: Timestamp,
}

/// The tenant: owns projects, keys and everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Team {
    /// Identity.
    pub id: TeamId,
    /// Name shown to people.
    pub name: String,
    /// Creation time of the team.
    pub created_at: Timestamp,
}

/// A user's place in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The team.
    pub team_id: TeamId,
    /// The member.
    pub user_id: UserId,
    /// The member's role in the team.
    pub role: RoleRef,
}

/// A user's place in a team with all that it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The team.
    pub team_id: TeamId,
    /// The member.
    pub user_id: UserId,
    /// Creator of the member, if it is a service account: its rights never exceed the creator's, which are not among these.
    pub created_by: Option<UserId>,
    /// Rights of the member.
    pub rights: Rights,
}

/// A member of a team, as other members see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: User,
    /// Creator of the account, if it is a service account.
    pub created_by: Option<UserId>,
    /// Rights in the team.
    pub rights: Rights,
}

/// A key for programs. The key itself is shown once; only its digest is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    /// Identity.
    pub id: ApiKeyId,
    /// The team the key acts in.
    pub team_id: TeamId,
    /// Creator of the key; it never has more rights than this user.
    pub user_id: UserId,
    /// Purpose of the key, in the creator's words.
    pub name: String,
    /// The first characters of the key, to recognise it by.
    pub prefix: String,
    /// Permissions of the key, by name.
    pub scopes: Permissions,
    /// Expiry of the key.
    pub expires_at: Option<Timestamp>,
    /// Time at which the key was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Creation time of the key.
    pub created_at: Timestamp,
}
