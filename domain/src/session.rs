//! Sign-ins that last, and what users are told about their accounts.

use serde::Serialize;

use crate::id::{SecurityEventId, SessionId, UserId};
use crate::time::Timestamp;

/// A sign-in on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Session {
    /// Identity.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// How it began: `password`, `link`, or the name of a provider; `None` for those of programs of before.
    pub method: Option<String>,
    /// The address it was last used from.
    pub address: Option<String>,
    /// What the client calls itself.
    pub agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last went on.
    pub used_at: Timestamp,
    /// When it ends however much it is used; `None` for one that lasts as long as it is used.
    pub ends_at: Option<Timestamp>,
}

/// What happened to an account that its user should know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
pub enum SecurityEventKind {
    /// A refresh token was used twice: somebody has a copy. Its session was ended.
    TokenReused,
    /// The password was set or changed.
    PasswordChanged,
    /// A second factor is asked for from now on.
    SecondFactorEnabled,
    /// A second factor is asked for no longer.
    SecondFactorDisabled,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// An account of a provider can sign in from now on.
    IdentityLinked,
    /// An account of a provider can sign in no longer.
    IdentityUnlinked,
    /// All sessions were ended.
    SignedOutEverywhere,
    /// Sign-in was refused for a while because of many failed attempts in a row.
    AttemptsThrottled,
    /// A command line was signed in.
    DeviceApproved,
}

/// Something that happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct SecurityEvent {
    /// Identity.
    pub id: SecurityEventId,
    /// Whose account.
    pub user_id: UserId,
    /// What.
    pub kind: SecurityEventKind,
    /// From where.
    pub address: Option<String>,
    /// What the client calls itself.
    pub agent: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// When the user said that they have seen it.
    pub seen_at: Option<Timestamp>,
}
