//! Content of an entry. Names are recorded as they were, so that renamed or deleted objects can still be told apart.

use domain::id::{TeamId, UserId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Action;

/// Outcome of the action: done or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum), graphql(name = "AuditOutcome"))]
pub enum AuditOutcome {
    /// It happened, in the same transaction as the entry was written.
    Done,
    /// It was refused, because whoever asked has no right to it.
    Denied,
}

impl AuditOutcome {
    /// The name in entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
        }
    }

    /// The outcome of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Done, Self::Denied].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// Credential that was presented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// `session`, `api_key` or `schedule`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name, for an API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Actor of the action. MikroCloud itself is the actor without a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The user's address at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user's name at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Creator of the service account, if the user is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answerable: Option<UserId>,
    /// Credential that was presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Shown>,
}

/// Origin of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whence {
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The request's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The program, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// Target of the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Kind of the target, such as `project`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An entry of a team's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The version of the form.
    pub v: u64,
    /// Team whose log contains the entry.
    pub team: TeamId,
    /// Its number, without gaps from 1.
    pub sequence: i64,
    /// Time of the action, RFC 3339 in UTC to the microsecond.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// Actor of the action.
    pub actor: Who,
    /// From where.
    pub origin: Whence,
    /// Name of the [`Action`]; later versions know more of them.
    pub action: String,
    /// Outcome of the action: done or refused.
    pub outcome: AuditOutcome,
    /// To what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Subject>,
    /// The fields that changed, as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The same fields, as they are since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Further details. Readers ignore members that they do not know.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Entry {
    /// The action, if this version knows it.
    pub fn known_action(&self) -> Option<Action> {
        Action::from_name(&self.action)
    }
}

/// Times as the log writes them: always to the microsecond, so that each has one form.
pub(crate) mod micros {
    use chrono::SecondsFormat;
    use domain::time::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
