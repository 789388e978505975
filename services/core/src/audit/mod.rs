//! The audit log: who changed what, in a chain for each team (docs/adr/0015). An entry is written in the transaction of the change, last of
//! all: what did not happen is not in the log, and nobody waits longer than needed for the end of the chain.

mod change;
mod checkpoints;
mod denials;
mod expiry;
mod export;
mod query;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use audit::{Entry, Shown, VERSION, Whence, Who, canonical, genesis, link};
use domain::access::{Actor, Credential, Origin};
use domain::id::{ApiKeyId, TeamId, UserId};
use domain::time::now;
use serde_json::Map;
use store::{NewAuditEntry, StoreError, Tx};

use crate::{Result, Sealer, ServiceError};

pub use audit::{Action, AuditOutcome};
pub use change::AuditEntry;
pub use change::role_shown;
pub use export::{ExportFormat, ExportPage, NewExport, StartedExport};
pub use query::{AuditKey, AuditQuery, AuditRecord};

/// Dependencies of the log besides the database.
pub(crate) struct Auditor {
    sealer: Arc<Sealer>,
    denials: denials::Denials,
}

impl Auditor {
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, denials: denials::Denials::default() }
    }

    /// Returns the present signer: a change of the master key changes it.
    fn signer(&self) -> audit::Signer {
        audit::Signer::new(&self.sealer.derive("audit checkpoints"))
    }
}

/// Actor of an action, and its origin.
struct By<'a> {
    user: Option<UserId>,
    key: Option<ApiKeyId>,
    answerable: Option<UserId>,
    credential: Option<(&'static str, String)>,
    origin: Option<&'a Origin>,
}

impl<'a> By<'a> {
    fn actor(actor: &'a Actor) -> Self {
        let (kind, id, key) = match actor.credential {
            Credential::Session(id) => ("session", id.to_string(), None),
            Credential::ApiKey(id) => ("api_key", id.to_string(), Some(id)),
            Credential::Schedule(id) => ("schedule", id.to_string(), None),
            Credential::GitConnection(id) => ("git_connection", id.to_string(), None),
        };
        Self {
            user: Some(actor.user_id),
            key,
            answerable: actor.rights.bound.as_ref().map(|bound| bound.user_id),
            credential: Some((kind, id)),
            origin: actor.origin.as_deref(),
        }
    }

    /// A user, before there is a credential.
    fn user(user: UserId, origin: Option<&'a Origin>) -> Self {
        Self { user: Some(user), key: None, answerable: None, credential: None, origin }
    }

    /// MikroCloud itself.
    fn nobody() -> Self {
        Self { user: None, key: None, answerable: None, credential: None, origin: None }
    }
}

/// Records a change that the actor makes in this transaction. To be called last before the commit.
pub async fn record(tx: &mut Tx, actor: &Actor, change: AuditEntry) -> Result<()> {
    append(tx, actor.team_id, &By::actor(actor), change, AuditOutcome::Done).await
}

/// Records in the log of a team what was done to the whole installation, by who holds its machines.
pub async fn record_for_operator(tx: &mut Tx, team: TeamId, change: AuditEntry) -> Result<()> {
    append(tx, team, &By::nobody(), change, AuditOutcome::Done).await
}

/// Records something about a user that belongs to no team, such as a sign-in, in the log of every team the user is in. Like [`record`] it is
/// called last before the commit of the transaction in which it happens. What is tried in vain ([`AuditOutcome::Denied`]) has no transaction of its
/// own: begin one, and bound how often that may happen, or anybody can fill the log.
pub async fn record_about_user(
    tx: &mut Tx,
    user: UserId,
    origin: Option<&Origin>,
    change: &AuditEntry,
    outcome: AuditOutcome,
) -> Result<()> {
    // In the order of their ids: two who are in the same teams do not wait for each other in a circle.
    for team in tx.team_list_of(user).await? {
        append(tx, team, &By::user(user, origin), change.clone(), outcome).await?;
    }
    Ok(())
}

/// Records what a user does in a team without being in it yet. To be called last before the commit.
pub async fn record_in_team(tx: &mut Tx, team: TeamId, user: UserId, origin: &Origin, change: AuditEntry) -> Result<()> {
    append(tx, team, &By::user(user, Some(origin)), change, AuditOutcome::Done).await
}

/// Records what MikroCloud does in a team by itself. To be called last before the commit.
pub async fn record_own(tx: &mut Tx, team: TeamId, change: AuditEntry) -> Result<()> {
    append(tx, team, &By::nobody(), change, AuditOutcome::Done).await
}

async fn append(tx: &mut Tx, team: TeamId, by: &By<'_>, change: AuditEntry, outcome: AuditOutcome) -> Result<()> {
    let mut head = tx.audit_head(team, by.user, by.key).await?;
    if head.is_none() {
        tx.audit_chain_insert(team, &genesis(team), now()).await?;
        head = tx.audit_head(team, by.user, by.key).await?;
    }
    let head = head.ok_or_else(|| ServiceError::internal(StoreError::Changed))?;
    let credential =
        by.credential.as_ref().map(|(kind, id)| Shown { kind: (*kind).to_owned(), id: id.clone(), name: head.key_name.clone() });
    let entry = Entry {
        v: VERSION,
        team,
        sequence: head.last_sequence + 1,
        at: now(),
        actor: Who { user: by.user, email: head.email, name: head.user_name, answerable: by.answerable, credential },
        origin: by.origin.map(whence).unwrap_or_default(),
        action: change.action.name().to_owned(),
        outcome,
        target: change.target,
        before: change.before.map(audit::bounded),
        after: change.after.map(audit::bounded),
        details: change.details.into_iter().map(|(name, value)| (name, audit::bounded(value))).collect::<Map<_, _>>(),
    };
    let text = canonical(&entry).map_err(ServiceError::internal)?;
    let hash = link(&head.last_hash, &text);
    tx.audit_insert(&NewAuditEntry {
        team_id: team,
        sequence: entry.sequence,
        at: entry.at,
        user_id: entry.actor.user,
        email: entry.actor.email.as_deref(),
        credential_id: entry.actor.credential.as_ref().map(|shown| shown.id.as_str()),
        action: &entry.action,
        outcome: outcome.name(),
        target_id: entry.target.as_ref().map(|target| target.id.as_str()),
        target_name: entry.target.as_ref().and_then(|target| target.name.as_deref()),
        entry: &text,
        hash: &hash,
    })
    .await?;
    Ok(())
}

fn whence(origin: &Origin) -> Whence {
    let Origin { address, request, agent } = origin;
    Whence { address: Some(address.to_string()), request: request.clone(), agent: agent.clone() }
}
