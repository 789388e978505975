//! Environments as every area needs them: parsed, found or made, and checked for permissions.

use domain::access::{Actor, Permission, Target};
use domain::environment::Environment;
use domain::id::{EnvironmentId, ProjectId};
use domain::name::EnvironmentName;
use domain::project::Project;
use domain::time::now;
use store::Tx;

use crate::access::{require_on, require_somewhere};
use crate::{Context, Result, ServiceError};

/// The most environments a project may have.
const MAX_ENVIRONMENTS: usize = 200;

/// The environment of this name; production when absent.
pub fn parse_environment(text: Option<&str>) -> Result<EnvironmentName> {
    let Some(text) = text else { return Ok(EnvironmentName::production()) };
    text.parse().map_err(|error| ServiceError::invalid("environment", "INVALID_NAME", error))
}

/// The environment of this name, made if the project has none yet. Refused when it is being deleted.
pub async fn find_or_insert(tx: &mut Tx, project: &Project, name: &EnvironmentName) -> Result<Environment> {
    if let Some(found) = tx.environment_find(project.team_id, project.id, name.as_str()).await? {
        check_kept(&found)?;
        return Ok(found);
    }
    let environment = new_environment(project, name.clone());
    tx.environment_insert(&environment).await?;
    Ok(environment)
}

/// A new environment of a project.
pub fn new_environment(project: &Project, name: EnvironmentName) -> Environment {
    Environment {
        id: EnvironmentId::new(),
        team_id: project.team_id,
        project_id: project.id,
        name,
        live_deployment_id: None,
        config_version: 0,
        protected: false,
        created_at: now(),
        deleting_at: None,
    }
}

/// Refuses what is asked of an environment that is being deleted.
pub fn check_kept(environment: &Environment) -> Result<(), ServiceError> {
    if environment.deleting_at.is_none() {
        return Ok(());
    }
    let message = format!("the environment `{}` is being deleted: try again once it is gone", environment.name);
    Err(ServiceError::invalid("environment", "BEING_DELETED", message))
}

impl Context {
    /// Checks a permission on the environment of this name. To make one is something that is done to its project.
    pub async fn require_environment(
        &self,
        actor: &Actor,
        permission: Permission,
        project: ProjectId,
        name: &EnvironmentName,
    ) -> Result<()> {
        // Who may on all of the team costs no look-up.
        if actor.may(permission, Target::Team) {
            return Ok(());
        }
        require_somewhere(actor, permission)?;
        let found = self.store().environment_by_name(actor.team_id, project, name.as_str()).await?;
        match &found {
            Some(environment) => require_on(actor, permission, environment.into(), "environment"),
            None => require_on(actor, permission, Target::Project(project), "project"),
        }
    }

    /// Refuses a new environment for a project that has as many as it may.
    pub async fn check_room_for(&self, actor: &Actor, project: ProjectId, name: &EnvironmentName) -> Result<()> {
        if self.store().environment_by_name(actor.team_id, project, name.as_str()).await?.is_some() {
            return Ok(());
        }
        if self.store().environment_list(actor.team_id, &[project]).await?.len() >= MAX_ENVIRONMENTS {
            let message = format!("the project has {MAX_ENVIRONMENTS} environments, the most it may: use one of them");
            return Err(ServiceError::invalid("environment", "TOO_MANY", message));
        }
        Ok(())
    }
}
