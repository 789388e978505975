//! The teams of an installation.

use domain::access::{Actor, Credential, Permission, Role, RoleRef};
use domain::id::TeamId;
use domain::team::{Membership, Team};
use domain::time::now;
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record};
use services_core::{Result, ServiceError, require};
use store::{Lock, Page, Tx};

use crate::Teams;

/// The most teams there may be: more are a fault in a program that makes them.
const MAX_TEAMS: usize = 1000;
/// The longest name, in characters.
const MAX_NAME: usize = 60;

impl Teams {
    /// The team the actor works in.
    pub async fn get(&self, actor: &Actor) -> Result<Team> {
        self.store().team_get(actor.team_id).await?.ok_or(ServiceError::NotFound("team"))
    }

    /// The teams that the actor's user is in and that the credential reaches, the oldest first: an API key is good for one only.
    pub async fn own(&self, actor: &Actor) -> Result<Vec<Team>> {
        match actor.credential {
            Credential::Session(_) => Ok(self.store().user_team_list(actor.user_id).await?),
            Credential::ApiKey(_) | Credential::Schedule(_) | Credential::GitConnection(_) => Ok(vec![self.get(actor).await?]),
        }
    }

    /// All teams there are, the oldest first. Operators only.
    pub async fn list(&self, actor: &Actor, after: Option<TeamId>, limit: i64) -> Result<Page<Team>> {
        self.require_operator(actor, Permission::MemberRead).await?;
        Ok(self.store().team_list(after, limit).await?)
    }

    /// Makes a team, which the actor's user owns. Only operators do: whoever owns a team runs their code on its machines.
    pub async fn create(&self, actor: &Actor, name: &str) -> Result<Team> {
        let entry = AuditEntry::new(Action::TeamCreate);
        self.audit_denial(actor, &entry, self.require_operator(actor, Permission::MemberWrite).await).await?;
        let team = Team { id: TeamId::new(), name: parse_name(name)?, created_at: now() };
        let sealer = self.sealer();
        sealer.prepare_own(self.store()).await?;
        let mut tx = self.begin().await?;
        let others = others(&mut tx, team.id).await?;
        check_free(&team.name, &others)?;
        if others.len() >= MAX_TEAMS {
            let message = format!("there are {MAX_TEAMS} teams, the most there may be: rename one that is not needed any more");
            return Err(ServiceError::invalid("name", "TOO_MANY", message));
        }
        tx.team_insert(&team).await?;
        tx.team_key_insert(team.id, 1, &sealer.new_team_key(team.id)?).await?;
        let membership = Membership { team_id: team.id, user_id: actor.user_id, role: RoleRef::BuiltIn(Role::Owner) };
        tx.membership_put(&membership).await?;
        // It stands in the log of the team it is made from, and begins that of the new one.
        let entry = entry.on("team", team.id).named(&team.name).after(logged(&team));
        let of_new = Actor { team_id: team.id, ..actor.clone() };
        record(&mut tx, actor, entry.clone()).await?;
        record(&mut tx, &of_new, entry).await?;
        tx.hold(self.actors().change());
        tx.commit().await?;
        Ok(team)
    }

    /// Gives the actor's team another name.
    pub async fn rename(&self, actor: &Actor, name: &str) -> Result<Team> {
        let entry = AuditEntry::new(Action::TeamUpdate).on("team", actor.team_id);
        self.audit_denial(actor, &entry, require(actor, Permission::MemberWrite)).await?;
        let mut team = self.get(actor).await?;
        let before = logged(&team);
        team.name = parse_name(name)?;
        let mut tx = self.begin().await?;
        check_free(&team.name, &others(&mut tx, team.id).await?)?;
        if !tx.team_rename(team.id, &team.name).await? {
            return Err(ServiceError::NotFound("team"));
        }
        record(&mut tx, actor, entry.named(&team.name).between(before, logged(&team))).await?;
        tx.commit().await?;
        Ok(team)
    }
}

/// Builds the audit log's details of a team.
fn logged(team: &Team) -> serde_json::Value {
    json!({"name": team.name})
}

fn parse_name(text: &str) -> Result<String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
        let message = format!("give a name of 1 to {MAX_NAME} characters on one line");
        return Err(ServiceError::invalid("name", "INVALID_NAME", message));
    }
    Ok(name.to_owned())
}

/// The teams besides this one. Nobody else makes or names one until the transaction ends.
async fn others(tx: &mut Tx, team: TeamId) -> Result<Vec<Team>> {
    tx.lock(Lock::TeamNames).await?;
    let mut teams = tx.team_list_all().await?;
    teams.retain(|other| other.id != team);
    Ok(teams)
}

/// Checks that no other team has the name, in whatever case.
fn check_free(name: &str, others: &[Team]) -> Result<()> {
    if others.iter().any(|other| other.name.to_lowercase() == name.to_lowercase()) {
        let message = format!("there is a team `{name}` here already: choose another name");
        return Err(ServiceError::invalid("name", "TAKEN", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_that_people_can_read() {
        assert_eq!(parse_name("  Entwürfe \u{1f3a8} ").unwrap(), "Entwürfe \u{1f3a8}");
        assert_eq!(parse_name(&"ü".repeat(MAX_NAME)).unwrap().chars().count(), MAX_NAME);
        for wrong in ["", " \t ", "a\nb", "a\u{1b}[31m", &"x".repeat(MAX_NAME + 1)] {
            assert!(
                matches!(parse_name(wrong), Err(ServiceError::Invalid { field: "name", code: "INVALID_NAME", .. })),
                "{wrong:?}"
            );
        }
    }
}
