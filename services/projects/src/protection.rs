//! Protected environments.

use domain::access::{Actor, Permission, Target};
use domain::environment::Environment;
use domain::id::ProjectId;
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record};
use services_core::environments::{find_or_insert, parse_environment};
use services_core::{Result, ServiceError};

use crate::Environments;

/// Refuses to change what is seen where an environment is seen, unless the actor may approve what is deployed there or take the protection away:
/// otherwise names would be a way round it. Environments are as they were read within a transaction that holds their project's lock.
pub(crate) fn check_exposure<'a>(actor: &Actor, environments: impl IntoIterator<Item = &'a Environment>) -> Result<()> {
    let may = |environment: &Environment| {
        let target = Target::from(environment);
        actor.may(Permission::DeploymentApprove, target) || actor.may(Permission::MemberWrite, target)
    };
    let refused = environments.into_iter().any(|environment| environment.protected && !may(environment));
    if refused { Err(ServiceError::Denied(Permission::DeploymentApprove)) } else { Ok(()) }
}

impl Environments {
    /// Says whether what is deployed to an environment (production when none is named) has to be approved by somebody else. The
    /// environment is made when the project has none of that name. It counts for what is asked for from then on.
    pub async fn protect(
        &self,
        actor: &Actor,
        project: ProjectId,
        environment: Option<&str>,
        protected: bool,
    ) -> Result<Environment> {
        let name = parse_environment(environment)?;
        // Whoever can take the protection away can go round it: it takes the right to say who may do what.
        let entry = AuditEntry::new(Action::EnvironmentProtect).on("project", project).detail("environment", name.as_str());
        let allowed = self.require_environment(actor, Permission::MemberWrite, project, &name).await;
        self.audit_denial(actor, &entry, allowed).await?;
        self.check_room_for(actor, project, &name).await?;
        let mut tx = self.begin().await?;
        let project = tx.project_lock(actor.team_id, project).await?.filter(|project| project.deleting_at.is_none());
        let project = project.ok_or(ServiceError::NotFound("project"))?;
        let environment = find_or_insert(&mut tx, &project, &name).await?;
        tx.environment_protect(actor.team_id, environment.id, protected).await?;
        let entry = entry.named(&project.name).before(json!({"protected": environment.protected}));
        record(&mut tx, actor, entry.after(json!({"protected": protected}))).await?;
        tx.commit().await?;
        Ok(Environment { protected, ..environment })
    }
}
