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
    /// When the user was created.
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
    /// When the team was created.
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
    /// Who made the member, if it is a service account: its rights never exceed theirs, which are not among these.
    pub created_by: Option<UserId>,
    /// What the member may do.
    pub rights: Rights,
}

/// A member of a team, as other members see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// Who made it, if it is a service account.
    pub created_by: Option<UserId>,
    /// What it may do in the team.
    pub rights: Rights,
}

/// A key for programs. The key itself is shown once; only its digest is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    /// Identity.
    pub id: ApiKeyId,
    /// The team the key acts in.
    pub team_id: TeamId,
    /// Who made the key; it can never do more than this user.
    pub user_id: UserId,
    /// What the key is for, in the maker's words.
    pub name: String,
    /// The first characters of the key, to recognise it by.
    pub prefix: String,
    /// What the key may do, as permission names.
    pub scopes: Permissions,
    /// From when on the key is refused.
    pub expires_at: Option<Timestamp>,
    /// When the key was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When the key was made.
    pub created_at: Timestamp,
}
