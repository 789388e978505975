//! Environment variables. Values go in and reach builds and workloads; they are never shown again.

use domain::access::{Actor, Permission};
use domain::deployment::Deployment;
use domain::environment::Environment;
use domain::id::{ProjectId, VariableId};
use domain::secret::Secret;
use domain::variable::{self, MAX_VARIABLES, Variable};
use serde_json::{Map, Value};
use services_core::audit::{Action, AuditEntry, record};
use services_core::environments::{find_or_insert, parse_environment};
use services_core::{Result, Sealer, ServiceError, require_on, require_somewhere};
use store::{SealedVariable, Store};

use crate::Variables;

impl Variables {
    /// The variables that are set in an environment, by name, without their values.
    pub async fn list(&self, actor: &Actor, environment: &Environment) -> Result<Vec<Variable>> {
        require_on(actor, Permission::VariableRead, environment.into(), "environment")?;
        Ok(self.store().variable_list(actor.team_id, environment.id).await?)
    }

    /// Sets variables of an environment, all or none; the next deployment has them.
    pub async fn set(
        &self,
        actor: &Actor,
        project: ProjectId,
        environment: Option<&str>,
        values: Vec<(String, Secret)>,
    ) -> Result<Vec<Variable>> {
        let environment = parse_environment(environment)?;
        let entry = AuditEntry::new(Action::VariableSet).on("project", project).detail("environment", environment.as_str());
        let allowed = self.require_environment(actor, Permission::VariableWrite, project, &environment).await;
        self.audit_denial(actor, &entry, allowed).await?;
        for (name, value) in &values {
            variable::check(name, value.expose())
                .map_err(|error| ServiceError::invalid("variables", "INVALID_VARIABLE", format!("{}: {error}", shown(name))))?;
        }
        // Before anything is sealed: what is another team's is not there.
        self.store().project_get(actor.team_id, project).await?.ok_or(ServiceError::NotFound("project"))?;
        let (mut sealed, mut digests) = (Vec::with_capacity(values.len()), Map::new());
        for (name, value) in values {
            digests.insert(name.clone(), self.sealer().audit_digest(actor.team_id, &value).into());
            let id = VariableId::new();
            let body = self.sealer().seal(self.store(), actor.team_id, &id.to_string(), &value).await?;
            sealed.push(SealedVariable { id, name, sealed: body });
        }
        let mut tx = self.begin().await?;
        let project = tx.project_lock(actor.team_id, project).await?.filter(|project| project.deleting_at.is_none());
        let project = project.ok_or(ServiceError::NotFound("project"))?;
        let environment = find_or_insert(&mut tx, &project, &environment).await?;
        let present = tx.variable_values_now(actor.team_id, environment.id).await?;
        let mut before = Map::new();
        for name in digests.keys() {
            before.insert(name.clone(), self.logged(actor, present.iter().find(|variable| variable.name == *name)).await?);
        }
        let version = tx.environment_next_config(actor.team_id, environment.id).await?;
        for variable in &sealed {
            tx.variable_end(actor.team_id, environment.id, &variable.name, version).await?;
            tx.variable_insert(actor.team_id, environment.id, variable, version).await?;
        }
        if usize::try_from(tx.variable_count(actor.team_id, environment.id).await?).is_ok_and(|count| count > MAX_VARIABLES) {
            let message = format!("an environment has at most {MAX_VARIABLES} variables: unset some first");
            return Err(ServiceError::invalid("variables", "TOO_MANY", message));
        }
        record(&mut tx, actor, entry.named(&project.name).before(before.into()).after(digests.into())).await?;
        tx.commit().await?;
        Ok(self.store().variable_list(actor.team_id, environment.id).await?)
    }

    /// Unsets a variable of an environment; the next deployment is without it.
    pub async fn unset(&self, actor: &Actor, project: ProjectId, environment: Option<&str>, name: &str) -> Result<()> {
        let entry = AuditEntry::new(Action::VariableUnset).on("project", project);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::VariableWrite)).await?;
        let environment = self.environments().by_name(actor, project, environment).await?;
        let entry = entry.detail("environment", environment.name.as_str());
        let allowed = require_on(actor, Permission::VariableWrite, (&environment).into(), "environment");
        self.audit_denial(actor, &entry, allowed).await?;
        let not_set = || {
            let message = format!("`{}` is not set in the environment `{}`", shown(name).escape_debug(), environment.name);
            ServiceError::invalid("name", "NOT_SET", message)
        };
        // What cannot be a name is not asked the database for, which may not take it.
        variable::check_name(name).map_err(|_| not_set())?;
        self.sealer().prepare(self.store(), actor.team_id).await?;
        let mut tx = self.begin().await?;
        let project = tx.project_lock(actor.team_id, project).await?.ok_or(ServiceError::NotFound("project"))?;
        let present = tx.variable_values_now(actor.team_id, environment.id).await?;
        let before = self.logged(actor, present.iter().find(|variable| variable.name == name)).await?;
        let version = tx.environment_next_config(actor.team_id, environment.id).await?;
        if !tx.variable_end(actor.team_id, environment.id, name, version).await? {
            return Err(not_set());
        }
        let before = Map::from_iter([(name.to_owned(), before)]);
        record(&mut tx, actor, entry.named(&project.name).before(before.into())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Returns the audit log's details of a value: its digest, and null if there is none.
    async fn logged(&self, actor: &Actor, variable: Option<&SealedVariable>) -> Result<Value> {
        let Some(SealedVariable { id, sealed, .. }) = variable else { return Ok(Value::Null) };
        let sealer = self.sealer();
        let value = sealer.open(self.store(), actor.team_id, &id.to_string(), sealed).await?;
        Ok(sealer.audit_digest(actor.team_id, &value).into())
    }
}

/// The variables of the configuration version that a deployment is pinned to, opened.
pub(crate) async fn open_variables(store: &Store, sealer: &Sealer, deployment: &Deployment) -> Result<Vec<(String, Secret)>> {
    let Deployment { team_id, environment_id, config_version, .. } = deployment;
    let mut opened = Vec::new();
    for variable in store.variable_values(*team_id, *environment_id, *config_version).await? {
        let value = sealer.open(store, *team_id, &variable.id.to_string(), &variable.sealed).await?;
        opened.push((variable.name, value));
    }
    Ok(opened)
}

fn shown(name: &str) -> String {
    name.chars().take(60).collect()
}
