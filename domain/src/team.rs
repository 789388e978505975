//! People and the teams they work in.

use serde::Serialize;

use crate::access::Role;
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

/// What a user may do in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Membership {
    /// The team.
    pub team_id: TeamId,
    /// The member.
    pub user_id: UserId,
    /// The member's role.
    pub role: Role,
}

/// A key for programs. The key itself is shown once; only its digest is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
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
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub scopes: Vec<crate::access::Permission>,
    /// From when on the key is refused.
    pub expires_at: Option<Timestamp>,
    /// When the key was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When the key was made.
    pub created_at: Timestamp,
}
