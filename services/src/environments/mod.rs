//! Environments.

mod deletion;

use domain::access::{Actor, Permission, Target};
use domain::environment::{Environment, environment_label};
use domain::id::ProjectId;
use domain::name::EnvironmentName;
use domain::project::Project;
use store::Tx;

pub(crate) use deletion::{begin_deletion, check_kept};

use crate::projects::new_environment;
use crate::{Result, ServiceError, Services, require_on, require_somewhere};

/// The most environments a project may have.
const MAX_ENVIRONMENTS: usize = 200;

pub(crate) fn parse_environment(text: Option<&str>) -> Result<EnvironmentName> {
    let Some(text) = text else { return Ok(EnvironmentName::production()) };
    text.parse().map_err(|error| ServiceError::invalid("environment", "INVALID_NAME", error))
}

/// The environment of this name, made if the project has none yet. Refused when it is being deleted.
pub(crate) async fn find_or_insert(tx: &mut Tx, project: &Project, name: &EnvironmentName) -> Result<Environment> {
    if let Some(found) = tx.environment_find(project.team_id, project.id, name.as_str()).await? {
        check_kept(&found)?;
        return Ok(found);
    }
    let environment = new_environment(project, name.clone());
    tx.environment_insert(&environment).await?;
    Ok(environment)
}

impl Services {
    /// Those environments of some of the team's projects that the actor may see, oldest first.
    pub async fn environments(&self, actor: &Actor, projects: &[ProjectId]) -> Result<Vec<Environment>> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let mut found = self.store().environment_list(actor.team_id, projects).await?;
        found.retain(|environment| actor.may(Permission::ProjectRead, environment.into()));
        Ok(found)
    }

    /// One environment of a project, production when none is named.
    pub async fn environment_named(&self, actor: &Actor, project: ProjectId, name: Option<&str>) -> Result<Environment> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let name = parse_environment(name)?;
        let found = self.store().environment_by_name(actor.team_id, project, name.as_str()).await?;
        let environment = found.ok_or(ServiceError::NotFound("environment"))?;
        require_on(actor, Permission::ProjectRead, (&environment).into(), "environment")?;
        Ok(environment)
    }

    /// Checks a permission on the environment of this name. To make one is something that is done to its project.
    pub(crate) async fn require_environment(
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

    /// The address of an environment.
    pub fn environment_url(&self, project: &Project, environment: &Environment) -> Result<String> {
        Ok(self.cloud("local")?.traffic.url(&environment_label(&project.name, &environment.name)))
    }

    /// Refuses a new environment for a project that has as many as it may.
    pub(crate) async fn check_room_for(&self, actor: &Actor, project: ProjectId, name: &EnvironmentName) -> Result<()> {
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
