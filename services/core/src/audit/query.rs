//! Looking into the log.

use audit::{Action, AuditOutcome, Entry};
use domain::access::{Actor, Permission};
use domain::artifact::Digest;
use domain::id::{ApiKeyId, ScheduleId, SessionId, UserId};
use domain::time::Timestamp;
use store::{AuditActor, AuditFilter, AuditRow, Page};

use crate::AuditLog;
use crate::{Result, ServiceError, require};

/// Filter of entries; `None` matches everything.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// A user's id or address, or the id of a session, an API key or a schedule.
    pub actor: Option<String>,
    /// The name of an action such as `project.create`, or what stands before its dot.
    pub action: Option<String>,
    /// The id or the name of what it was done to.
    pub target: Option<String>,
    /// Outcome of the action: done or refused.
    pub outcome: Option<AuditOutcome>,
}

/// An entry with its hash.
#[derive(Debug, Clone)]
pub struct AuditRecord {
    /// Content of the entry.
    pub entry: Entry,
    /// Its hash.
    pub hash: Digest,
}

/// A key that signs checkpoints, or did.
#[derive(Debug, Clone)]
pub struct AuditKey {
    /// 64 hexadecimal digits.
    pub public_key: String,
    /// Time of its first use; `None` before.
    pub created_at: Option<Timestamp>,
    /// Marks the key that signs at present.
    pub current: bool,
}

/// The entry that a row holds.
pub(super) fn parsed(row: &AuditRow) -> Result<Entry> {
    serde_json::from_str(&row.entry).map_err(ServiceError::internal)
}

fn actor_of(text: &str) -> AuditActor {
    let is_credential =
        text.parse::<ApiKeyId>().is_ok() || text.parse::<SessionId>().is_ok() || text.parse::<ScheduleId>().is_ok();
    match text.parse::<UserId>() {
        Ok(user) => AuditActor::User(user),
        Err(_) if is_credential => AuditActor::Credential(text.to_owned()),
        Err(_) => AuditActor::Email(text.trim().to_lowercase()),
    }
}

fn check_action(text: &str) -> Result<()> {
    let nouns = || Action::ALL.iter().filter_map(|action| action.name().split('.').next());
    if Action::from_name(text).is_some() || nouns().any(|noun| noun == text) {
        return Ok(());
    }
    let mut known: Vec<_> = nouns().collect();
    known.dedup();
    let shown: String = text.chars().take(60).collect();
    let message = format!(
        "there is no action `{}`: use the name of one such as {}, or what stands before its dot: {}",
        shown.escape_debug(),
        Action::ProjectCreate.name(),
        known.join(", ")
    );
    Err(ServiceError::invalid("action", "UNKNOWN_ACTION", message))
}

impl AuditQuery {
    fn filter(&self) -> Result<AuditFilter> {
        self.action.as_deref().map(check_action).transpose()?;
        Ok(AuditFilter {
            since: self.since,
            until: self.until,
            actor: self.actor.as_deref().map(actor_of),
            action: self.action.clone(),
            target: self.target.clone(),
            outcome: self.outcome.map(AuditOutcome::name),
        })
    }
}

impl AuditLog {
    /// A page of the team's audit log, newest first; what stands before an entry, if its number is given.
    pub async fn list(&self, actor: &Actor, query: &AuditQuery, before: Option<i64>, limit: i64) -> Result<Page<AuditRecord>> {
        require(actor, Permission::AuditRead)?;
        let Page { items, has_more } = self.store().audit_list(actor.team_id, &query.filter()?, before, limit).await?;
        let record = |row: AuditRow| Ok(AuditRecord { entry: parsed(&row)?, hash: row.hash });
        Ok(Page { items: items.into_iter().map(record).collect::<Result<_>>()?, has_more })
    }

    /// The keys by which checkpoints and exports of this installation are checked.
    pub async fn keys(&self, actor: &Actor) -> Result<Vec<AuditKey>> {
        require(actor, Permission::AuditRead)?;
        let present = self.inner.auditor.signer().public_key().to_string();
        let known = self.store().audit_key_list().await?.into_iter();
        let mut keys: Vec<_> = known
            .map(|row| AuditKey {
                current: row.public_key == present,
                public_key: row.public_key,
                created_at: Some(row.created_at),
            })
            .collect();
        if keys.iter().all(|key| !key.current) {
            keys.push(AuditKey { public_key: present, created_at: None, current: true });
        }
        Ok(keys)
    }
}
