//! Environments.

mod deletion;

use domain::access::{Actor, Permission};
use domain::cloud::PlaceDetails;
use domain::environment::{Environment, environment_label};
use domain::id::ProjectId;
use domain::project::Project;
use services_core::environments::parse_environment;
use services_core::{Result, ServiceError, require_on, require_somewhere};

use crate::Environments;

pub(crate) use deletion::begin_deletion;

impl Environments {
    /// Those environments of some of the team's projects that the actor may see, oldest first.
    pub async fn list(&self, actor: &Actor, projects: &[ProjectId]) -> Result<Vec<Environment>> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let mut found = self.store().environment_list(actor.team_id, projects).await?;
        found.retain(|environment| actor.may(Permission::ProjectRead, environment.into()));
        Ok(found)
    }

    /// One environment of a project, production when none is named.
    pub async fn by_name(&self, actor: &Actor, project: ProjectId, name: Option<&str>) -> Result<Environment> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let name = parse_environment(name)?;
        let found = self.store().environment_by_name(actor.team_id, project, name.as_str()).await?;
        let environment = found.ok_or(ServiceError::NotFound("environment"))?;
        require_on(actor, Permission::ProjectRead, (&environment).into(), "environment")?;
        Ok(environment)
    }

    /// The address of an environment with this place; none in a vendor's cloud before its first release there.
    pub fn url(&self, project: &Project, environment: &Environment, place: Option<&PlaceDetails>) -> Result<Option<String>> {
        match place {
            Some(place) => Ok(place.url.clone()),
            None => self.local_url(project, environment).map(Some),
        }
    }

    /// The address of an environment, wherever it is.
    pub async fn present_url(&self, project: &Project, environment: &Environment) -> Result<Option<String>> {
        let places = self.placements().of_environments(environment.team_id, &[environment.id]).await?;
        self.url(project, environment, places.get(&environment.id))
    }

    /// The address that an environment has on one's own machines.
    pub(crate) fn local_url(&self, project: &Project, environment: &Environment) -> Result<String> {
        Ok(self.host_labels()?.url(&environment_label(&project.name, &environment.name)))
    }
}
