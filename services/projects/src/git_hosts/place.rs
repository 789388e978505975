//! Selection of the repository to connect, and of its credentials.

use domain::access::Actor;
use domain::git_host::{GitHost, RepositoryName};
use domain::project::Project;
use domain::source::Repository;
use services_core::{Result, ServiceError};
use url::Url;

use super::NewGitConnection;
use super::settings::api_address;
use crate::GitConnections;

/// Location of a repository: host, API and name.
pub(super) struct Place {
    pub host: GitHost,
    pub api: Url,
    pub repository: RepositoryName,
}

impl GitConnections {
    /// Returns the location of the project's repository, from the input and from its address.
    pub(super) fn place(&self, project: &Project, input: &NewGitConnection) -> Result<Place> {
        let address = project.repository.as_deref().and_then(|text| text.parse::<Repository>().ok()).ok_or_else(|| {
            let message = "the project has no repository: set it with `mikrocloud projects update NAME --repository URL` first";
            ServiceError::invalid("projectId", "NO_REPOSITORY", message)
        })?;
        let at_host = address.at_host();
        let known = at_host.as_ref().and_then(|(host, _)| GitHost::well_known(host));
        let host = input.host.or(known.map(|(host, _)| host)).ok_or_else(|| {
            let message = "it cannot be told which kind of host this is: say GitHub or GitLab, and where its API is";
            ServiceError::invalid("host", "UNKNOWN_HOST", message)
        })?;
        let api = match &input.api_url {
            Some(text) => api_address(text).map_err(|error| ServiceError::invalid("apiUrl", "INVALID_ADDRESS", error))?,
            None => host.public_api().parse().map_err(ServiceError::internal)?,
        };
        if !self.settings().git_hosts.knows(host, &api) {
            let message = format!("{api} is not among the Git hosts of this installation: who runs it adds it with --git-hosts");
            return Err(ServiceError::invalid("apiUrl", "UNKNOWN_HOST", message));
        }
        let repository = match (&input.repository, at_host) {
            (Some(text), _) => text.parse().map_err(|error| ServiceError::invalid("repository", "INVALID_REPOSITORY", error))?,
            (None, Some((_, name))) => name,
            (None, None) => {
                let message = "the project's repository has no owner and name in its address: say them, as owner/name";
                return Err(ServiceError::invalid("repository", "INVALID_REPOSITORY", message));
            }
        };
        Ok(Place { host, api, repository })
    }

    /// The team's installation of the app on the account that owns the repository.
    pub(super) async fn installation_for(&self, actor: &Actor, place: &Place) -> Result<Option<i64>> {
        let Some(app) = &self.settings().git_hosts.app else { return Ok(None) };
        if place.host != GitHost::GitHub || place.api != app.api {
            return Ok(None);
        }
        let found = self.store().git_installation_on(actor.team_id, place.repository.parts().0).await?;
        Ok(found.filter(|found| !found.suspended).map(|found| found.id))
    }
}
