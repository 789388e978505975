use async_graphql::{Enum, InputObject, Json, SimpleObject};
pub use audit::AuditOutcome;
use chrono::{DateTime, Utc};
use services::audit::{AuditKey, AuditQuery, AuditRecord, ExportFormat, ExportPage};

/// The form of an export of the audit log.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "ExportFormat")]
pub enum AuditFormat {
    /// Entries and checkpoints, which `mikrocloud audit verify` checks without a server.
    JsonLines,
    /// Events of the Open Cybersecurity Schema Framework 1.3.0, class API Activity.
    Ocsf,
}

/// Filter of audit log entries; omitted fields match everything.
#[derive(InputObject, Default)]
pub struct AuditFilter {
    /// Not before this moment.
    since: Option<DateTime<Utc>>,
    /// Before this moment.
    until: Option<DateTime<Utc>>,
    /// A user's id or address, or the id of a session, an API key or a schedule.
    actor: Option<String>,
    /// The name of an action such as `project.create`, or what stands before its dot.
    action: Option<String>,
    /// The id or the name of what it was done to.
    target: Option<String>,
    /// Outcome of the action: done or refused.
    outcome: Option<AuditOutcome>,
}

impl From<AuditFilter> for AuditQuery {
    fn from(filter: AuditFilter) -> Self {
        let AuditFilter { since, until, actor, action, target, outcome } = filter;
        Self { since, until, actor, action, target, outcome }
    }
}

/// Credential that an actor presented to authenticate.
#[derive(SimpleObject)]
pub struct AuditCredential {
    /// `session`, `api_key` or `schedule`.
    kind: String,
    /// Its id.
    id: String,
    /// Its name at the time, for an API key.
    name: Option<String>,
}

/// Actor of an action, as they were at the time. MikroCloud itself has no user.
#[derive(SimpleObject)]
pub struct AuditActor {
    /// The user's id.
    user_id: Option<String>,
    /// The user's address.
    email: Option<String>,
    /// The user's name.
    name: Option<String>,
    /// Creator of the service account, if the user is one.
    answerable: Option<String>,
    /// Credential that was presented.
    credential: Option<AuditCredential>,
}

/// Target of an action, as it was at the time.
#[derive(SimpleObject)]
pub struct AuditTarget {
    /// Kind of the target, such as `project`.
    kind: String,
    /// Its id.
    id: String,
    /// Its name.
    name: Option<String>,
}

/// An entry of the audit log.
#[derive(SimpleObject)]
pub struct AuditEntry {
    /// Its number in the team's log, without gaps from 1.
    pub sequence: i64,
    at: DateTime<Utc>,
    /// Such as `project.create`.
    action: String,
    outcome: AuditOutcome,
    actor: AuditActor,
    /// The address the request came from.
    address: Option<String>,
    /// The request's id (`x-request-id`).
    request_id: Option<String>,
    /// The program, as it calls itself.
    agent: Option<String>,
    target: Option<AuditTarget>,
    /// The fields that changed, as they were; secrets as digests.
    before: Option<Json<serde_json::Value>>,
    /// The same fields, as they are since; secrets as digests.
    after: Option<Json<serde_json::Value>>,
    /// Further details.
    details: Json<serde_json::Value>,
    /// The SHA-256 by which it hangs on the entry before it.
    hash: String,
}

impl From<AuditRecord> for AuditEntry {
    fn from(AuditRecord { entry, hash }: AuditRecord) -> Self {
        let audit::Entry { sequence, at, actor, origin, action, outcome, target, before, after, details, .. } = entry;
        let audit::Who { user, email, name, answerable, credential } = actor;
        Self {
            sequence,
            at,
            action,
            outcome,
            actor: AuditActor {
                user_id: user.map(|id| id.to_string()),
                email,
                name,
                answerable: answerable.map(|id| id.to_string()),
                credential: credential.map(|audit::Shown { kind, id, name }| AuditCredential { kind, id, name }),
            },
            address: origin.address,
            request_id: origin.request,
            agent: origin.agent,
            target: target.map(|audit::Subject { kind, id, name }| AuditTarget { kind, id, name }),
            before: before.map(Json),
            after: after.map(Json),
            details: Json(details.into()),
            hash: hash.to_string(),
        }
    }
}

/// A key by which checkpoints and exports are checked.
#[derive(SimpleObject)]
pub struct AuditPublicKey {
    /// An Ed25519 key, 64 hexadecimal digits.
    public_key: String,
    /// Time of its first signature; null before.
    created_at: Option<DateTime<Utc>>,
    /// Marks the key that signs at present.
    current: bool,
}

impl From<AuditKey> for AuditPublicKey {
    fn from(AuditKey { public_key, created_at, current }: AuditKey) -> Self {
        Self { public_key, created_at, current }
    }
}

/// A page of an export.
#[derive(SimpleObject)]
pub struct AuditExportPage {
    /// The lines, without their ends.
    lines: Vec<String>,
    /// After which entry the next page begins; null when this is the last.
    next: Option<i64>,
}

impl From<ExportPage> for AuditExportPage {
    fn from(ExportPage { lines, next }: ExportPage) -> Self {
        Self { lines, next }
    }
}
