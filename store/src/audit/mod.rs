//! The audit log. Entries are only ever added; what may be deleted, and when, the database itself checks (`audit_guard`).

mod append;
mod read;
mod retire;

use domain::artifact::Digest;
use domain::id::{TeamId, UserId};
use domain::time::Timestamp;

/// The end of a team's chain, which the transaction has locked, and who is about to add to it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AuditHead {
    /// The number of the last entry; 0 before the first.
    pub last_sequence: i64,
    /// Its hash.
    pub last_hash: Digest,
    /// The present address of the user who was asked about.
    pub email: Option<String>,
    /// The present name of that user.
    pub user_name: Option<String>,
    /// The name of the API key that was asked about.
    pub key_name: Option<String>,
}

/// An entry to be added.
#[derive(Debug, Clone)]
pub struct NewAuditEntry<'a> {
    /// Team that owns the log.
    pub team_id: TeamId,
    /// Its number: one more than the last.
    pub sequence: i64,
    /// Time of the event.
    pub at: Timestamp,
    /// User.
    pub user_id: Option<UserId>,
    /// Their address.
    pub email: Option<&'a str>,
    /// Credential that was presented, by its printed id.
    pub credential_id: Option<&'a str>,
    /// Name of the action.
    pub action: &'a str,
    /// Outcome of the action: done or refused.
    pub outcome: &'a str,
    /// To what, by its printed id.
    pub target_id: Option<&'a str>,
    /// Its name.
    pub target_name: Option<&'a str>,
    /// The canonical text of the entry.
    pub entry: &'a str,
    /// Its hash.
    pub hash: &'a Digest,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditRow {
    /// Its number.
    pub sequence: i64,
    /// Its canonical text.
    pub entry: String,
    /// Its hash.
    pub hash: Digest,
}

/// A checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditCheckpointRow {
    /// The last entry that it covers.
    pub sequence: i64,
    /// The hash of that entry.
    pub hash: Digest,
    /// The signed statement, as an export has it.
    pub statement: String,
    /// Time of the signature.
    pub at: Timestamp,
}

/// A key that signed checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditKeyRow {
    /// The public key, hexadecimal.
    pub public_key: String,
    /// Time of the first use.
    pub created_at: Timestamp,
}

/// Actor to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditActor {
    /// A user.
    User(UserId),
    /// Whoever had this address at the time.
    Email(String),
    /// A session, an API key or a schedule, by its printed id.
    Credential(String),
}

/// Filter of entries; `None` matches everything.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Actor of the action.
    pub actor: Option<AuditActor>,
    /// The action, or the noun before its dot.
    pub action: Option<String>,
    /// The printed id or the name of what it was done to.
    pub target: Option<String>,
    /// Outcome of the action: done or refused.
    pub outcome: Option<&'static str>,
}
