//! Git hosts: their webhooks deploy pushes and show pull requests, and they are told what becomes of commits
//! (docs/adr/0017-git-hosts.md).

mod api;
mod comment;
mod connect;
mod installations;
mod place;
mod previews;
mod react;
mod receive;
mod report;
mod settings;
mod signature;
mod trigger;

use std::sync::Arc;

use domain::access::{Actor, Credential};
use domain::git_host::{GitConnection, GitHost};
use domain::id::{GitConnectionId, ProjectId, TeamId};
use domain::secret::Secret;
use domain::source::Repository;
use services_core::Result;
use sources::git::HttpLogin;
use url::Url;

use crate::GitConnections;

pub use connect::{GitConnectionEdit, MadeConnection, NewGitConnection};
pub use previews::KEEP_PREVIEWS;
pub use receive::KEEP_DELIVERIES;
pub use receive::{Received, Webhook};
pub use settings::{GitHosts, GitHubApp, api_address};

use api::{HostApi, HostError};

/// Returns the identity that the sealed webhook secret of a connection is bound to.
pub fn secret_identity(id: GitConnectionId) -> String {
    format!("{id}:secret")
}

/// Returns the identity that the sealed token of a connection is bound to.
pub fn token_identity(id: GitConnectionId) -> String {
    format!("{id}:token")
}

/// The server that a connection's repository is fetched from over https, when this is the connection's repository.
fn server_of(connection: &GitConnection, repository: &Repository) -> Option<Url> {
    let (host, name) = repository.at_host()?;
    let url: Url = repository.as_str().parse().ok()?;
    let api: Url = connection.api_url.parse().ok()?;
    let is_its_host = match GitHost::well_known(&host) {
        Some((kind, public)) => kind == connection.host && public == connection.api_url,
        None => api.host_str() == Some(host.as_str()),
    };
    let its_own = is_its_host && name.is_same(&connection.repository) && url.scheme() == "https" && url.username().is_empty();
    its_own.then(|| url.join("/").ok()).flatten()
}

impl GitConnections {
    /// Returns the actor on whose behalf a connection acts, with their present rights; `None` if they are no longer in the team.
    async fn connection_actor(&self, connection: &GitConnection) -> Result<Option<Actor>> {
        let rights = self.sessions().rights(connection.team_id, connection.created_by).await?;
        Ok(rights.map(|rights| Actor {
            user_id: connection.created_by,
            team_id: connection.team_id,
            rights: Arc::new(rights),
            scopes: None,
            credential: Credential::GitConnection(connection.id),
            expires_at: None,
            origin: None,
        }))
    }

    /// Returns the token for a connection's use of the host's API, if it uses one.
    async fn connection_token(&self, connection: &GitConnection) -> Result<Option<Secret>> {
        let Some(secrets) = self.store().git_secrets(connection.team_id, connection.id).await? else { return Ok(None) };
        let Some(sealed) = secrets.sealed_token else { return Ok(None) };
        let identity = token_identity(connection.id);
        Ok(Some(self.sealer().open(self.store(), connection.team_id, &identity, &sealed).await?))
    }

    /// By which user and token a project's repository is fetched over https; none when the project's connection has none, or when another
    /// repository is fetched, which has no business with this one's token. A host that refuses the token does not keep a public repository
    /// from being fetched.
    pub(crate) async fn repository_login(
        &self,
        team: TeamId,
        project: ProjectId,
        repository: &Repository,
    ) -> Result<Option<HttpLogin>, String> {
        let connection = self.store().git_connection_of(team, project).await.map_err(|error| jobs::handler::chain(&error))?;
        let Some(connection) = connection.filter(|connection| connection.reports) else { return Ok(None) };
        let Some(server) = server_of(&connection, repository) else { return Ok(None) };
        match self.host_api(&connection).await {
            Ok(api) => Ok(api.map(|api| {
                let (user, token) = api.login();
                HttpLogin { server, user: user.to_owned(), password: token.clone() }
            })),
            Err(HostError::Later(problem)) => Err(problem),
            Err(error) => {
                tracing::warn!(%error, git_connection.id = %connection.id, "a repository is fetched without a token");
                Ok(None)
            }
        }
    }

    /// The API of a connection's host; none when there is nothing to use it with.
    async fn host_api(&self, connection: &GitConnection) -> Result<Option<HostApi>, HostError> {
        let fault = |error: services_core::ServiceError| HostError::Later(jobs::handler::chain(&error));
        if connection.installation_id.is_some() && !self.has_installation(connection).await.map_err(fault)? {
            let message =
                "the GitHub App is no longer installed for this team, or suspended: install it again, or connect with a token";
            return Err(HostError::Refused(message.to_owned()));
        }
        let token = self.connection_token(connection).await.map_err(fault)?;
        HostApi::open(&self.settings().git_hosts, connection, token).await
    }
}

#[cfg(test)]
mod tests {
    use domain::id::UserId;
    use domain::time::now;

    use super::*;

    #[test]
    fn a_token_goes_to_the_server_of_its_own_repository_only() {
        let connection = |host: GitHost, api_url: &str| GitConnection {
            id: GitConnectionId::new(),
            team_id: TeamId::new(),
            project_id: ProjectId::new(),
            host,
            api_url: api_url.to_owned(),
            repository: "octo/shop".parse().unwrap(),
            installation_id: None,
            reports: true,
            branches: Vec::new(),
            previews: true,
            preview_hours: 1,
            created_by: UserId::new(),
            created_at: now(),
        };
        let public = connection(GitHost::GitHub, GitHost::GitHub.public_api());
        let own = connection(GitHost::GitLab, "https://git.example.org/api/v4/");
        for (connection, address, server) in [
            (&public, "https://github.com/Octo/shop.git", Some("https://github.com/")),
            (&own, "https://git.example.org/octo/shop", Some("https://git.example.org/")),
            (&public, "http://github.com/octo/shop.git", None),
            (&public, "https://github.com/octo/other.git", None),
            (&public, "https://github.com.evil.example/octo/shop.git", None),
            (&public, "https://git.example.org/octo/shop", None),
            (&public, "https://gitlab.com/octo/shop", None),
            (&public, "https://ada@github.com/octo/shop", None),
            (&public, "git@github.com:octo/shop.git", None),
            (&public, "/srv/octo/shop", None),
            (&own, "https://github.com/octo/shop", None),
        ] {
            let found = server_of(connection, &address.parse().unwrap());
            assert_eq!(found.as_ref().map(Url::as_str), server, "{address}");
        }
    }
}
