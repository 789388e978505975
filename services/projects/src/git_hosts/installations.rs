//! Installations of the installation's GitHub App. The operator assigns each account to a team: an app sees the repositories of
//! all accounts that it is installed on, and no team may reach another's.

use domain::access::{Actor, Permission};
use domain::git_host::{GitConnection, Installation};
use domain::id::TeamId;
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record};
use services_core::{Result, ServiceError};

use crate::GitConnections;

impl GitConnections {
    /// Lists the accounts on which the app is installed. Operators only.
    pub async fn installations(&self, actor: &Actor) -> Result<Vec<Installation>> {
        self.require_operator(actor, Permission::ProjectWrite).await?;
        Ok(self.store().git_installation_list().await?)
    }

    /// Lets the actor's team connect the repositories of an account, or takes that from whichever team has it.
    pub async fn assign_installation(&self, actor: &Actor, id: i64, assigned: bool) -> Result<Installation> {
        let entry = AuditEntry::new(Action::GitAssign).on("git_installation", id);
        self.audit_denial(actor, &entry, self.require_operator(actor, Permission::ProjectWrite).await).await?;
        let team: Option<TeamId> = assigned.then_some(actor.team_id);
        let missing = || ServiceError::NotFound("installation");
        let before = self.store().git_installation_get(id).await?.ok_or_else(missing)?;
        let mut tx = self.begin().await?;
        if !tx.git_installation_assign(id, team).await? {
            return Err(missing());
        }
        let entry = entry.named(&before.account).before(json!({"team": before.team_id})).after(json!({"team": team}));
        record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        self.store().git_installation_get(id).await?.ok_or_else(missing)
    }

    /// Returns true if the installation that a connection uses exists, works, and belongs to its team.
    pub(super) async fn has_installation(&self, connection: &GitConnection) -> Result<bool> {
        let Some(id) = connection.installation_id else { return Ok(false) };
        let found = self.store().git_installation_get(id).await?;
        Ok(found.is_some_and(|found| !found.suspended && found.team_id == Some(connection.team_id)))
    }
}
