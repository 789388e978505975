//! Entries of the audit log, as they are shown.

use chrono::{DateTime, Utc};
use domain::id::UserId;
use serde::Serialize;
use services::audit::{self, AuditRecord};
use utoipa::ToSchema;

use crate::rest::protocol::capitals::Capitals;

/// Outcome of an action.
pub(in crate::rest) type AuditOutcome = Capitals<audit::AuditOutcome>;

/// Actor of an action, as they were at the time. MikroCloud itself has no user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditActor {
    /// The user.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// The address.
    email: Option<String>,
    /// The name.
    name: Option<String>,
    /// Creator of the service account, if the user is one.
    #[schema(value_type = Option<String>)]
    answerable: Option<UserId>,
    /// Credential that was presented.
    credential: Option<AuditCredential>,
}

/// Credential that an actor presented to authenticate.
#[derive(Debug, Serialize, ToSchema)]
struct AuditCredential {
    /// `session`, `api_key` or `schedule`.
    kind: String,
    /// Its id.
    id: String,
    /// Its name at the time, for an API key.
    name: Option<String>,
}

/// Origin of a request.
#[derive(Debug, Serialize, ToSchema)]
struct AuditOrigin {
    /// The address.
    address: Option<String>,
    /// The request's id.
    request: Option<String>,
    /// The program, as it calls itself.
    agent: Option<String>,
}

/// Target of an action.
#[derive(Debug, Serialize, ToSchema)]
struct AuditTarget {
    /// Kind of the target, such as `project`.
    kind: String,
    /// Its id.
    id: String,
    /// Its name at the time.
    name: Option<String>,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(in crate::rest) struct EntryView {
    /// Counts the team's entries from 1 without gaps.
    sequence: i64,
    /// Time of the action.
    at: DateTime<Utc>,
    /// Name of the action, such as `project.create`.
    action: String,
    /// Outcome of the action: done or refused.
    outcome: AuditOutcome,
    /// Actor of the action.
    actor: AuditActor,
    /// From where.
    origin: AuditOrigin,
    /// To what.
    target: Option<AuditTarget>,
    /// The fields that changed, as they were.
    #[schema(value_type = Option<Object>)]
    before: Option<serde_json::Value>,
    /// The same fields, as they are since.
    #[schema(value_type = Option<Object>)]
    after: Option<serde_json::Value>,
    /// Further details.
    #[schema(value_type = Object)]
    details: serde_json::Map<String, serde_json::Value>,
    /// The entry's hash, which covers the one before it.
    hash: String,
}

impl From<AuditRecord> for EntryView {
    fn from(record: AuditRecord) -> Self {
        let AuditRecord { entry, hash } = record;
        let (who, origin) = (entry.actor, entry.origin);
        Self {
            sequence: entry.sequence,
            at: entry.at,
            action: entry.action,
            outcome: entry.outcome.into(),
            actor: AuditActor {
                user_id: who.user,
                email: who.email,
                name: who.name,
                answerable: who.answerable,
                credential: who.credential.map(|shown| AuditCredential { kind: shown.kind, id: shown.id, name: shown.name }),
            },
            origin: AuditOrigin { address: origin.address, request: origin.request, agent: origin.agent },
            target: entry.target.map(|target| AuditTarget { kind: target.kind, id: target.id, name: target.name }),
            before: entry.before,
            after: entry.after,
            details: entry.details,
            hash: hash.to_string(),
        }
    }
}
