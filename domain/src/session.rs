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
    /// User whose session it is.
    pub user_id: UserId,
    /// Sign-in method: `password`, `link`, or the name of a provider; `None` for sessions of earlier versions.
    pub method: Option<String>,
    /// The address it was last used from.
    pub address: Option<String>,
    /// User agent of the client.
    pub agent: Option<String>,
    /// Start time.
    pub created_at: Timestamp,
    /// Time of the last refresh.
    pub used_at: Timestamp,
    /// Time at which it ends even if it is used; `None` for one that lasts as long as it is used.
    pub ends_at: Option<Timestamp>,
}

/// Kind of an account event that its user should know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
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
    /// User whose account it is.
    pub user_id: UserId,
    /// Kind of the event.
    pub kind: SecurityEventKind,
    /// From where.
    pub address: Option<String>,
    /// User agent of the client.
    pub agent: Option<String>,
    /// Time of the event.
    pub created_at: Timestamp,
    /// Time at which the user acknowledged it.
    pub seen_at: Option<Timestamp>,
}
