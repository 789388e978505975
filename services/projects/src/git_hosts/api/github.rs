//! GitHub's REST API, by <https://docs.github.com/en/rest>.

use domain::git_host::{GitHost, RepositoryName};
use domain::secret::Secret;
use octocrab::Octocrab;
use octocrab::models::{AppId, InstallationId};
use octocrab::secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{CommitState, CommitStatus, HostError, PATIENCE};
use crate::git_hosts::settings::GitHubApp;

/// Maximum number of comments that are searched: the number of pages, and their size.
const PAGES: u32 = 5;
const PER_PAGE: usize = 100;
/// The longest description that GitHub takes.
const DESCRIPTION: usize = 140;

pub(crate) struct GitHub {
    client: Octocrab,
    token: Secret,
}

#[derive(Deserialize)]
struct Comment {
    id: i64,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Created {
    id: i64,
}

impl GitHub {
    /// With somebody's token.
    pub fn with_token(api: &Url, token: Secret) -> Result<Self, HostError> {
        let builder = Octocrab::builder().base_uri(api.as_str()).map_err(|error| failed(&error))?;
        let client = builder.personal_token(token.expose().to_owned()).build().map_err(|error| failed(&error))?;
        Ok(Self { client, token })
    }

    /// With a token for one installation of the app.
    pub async fn by_installation(app: &GitHubApp, installation: i64) -> Result<Self, HostError> {
        let id = InstallationId(u64::try_from(installation).unwrap_or_default());
        let builder = Octocrab::builder().base_uri(app.api.as_str()).map_err(|error| failed(&error))?;
        let builder = builder.app_from_rsa_pem(AppId(app.id), app.key.expose()).map_err(|_| {
            HostError::Refused("the private key of the GitHub App is none: ask who runs this installation".to_owned())
        })?;
        let client = builder.build().map_err(|error| failed(&error))?;
        let opened = tokio::time::timeout(PATIENCE, client.installation_and_token(id)).await;
        let opened = opened.map_err(|_| HostError::unreachable(GitHost::GitHub, "no answer in time"))?;
        let (client, token) = opened.map_err(|error| failed(&error))?;
        Ok(Self { client, token: Secret::from(token.expose_secret()) })
    }

    /// Returns the token for the API, and for the repository.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    pub async fn check(&self, repository: &RepositoryName) -> Result<(), HostError> {
        let route = format!("/repos/{repository}");
        let _: serde_json::Value = self.client.get(route, None::<&()>).await.map_err(|error| failed(&error))?;
        Ok(())
    }

    pub async fn set_status(&self, repository: &RepositoryName, commit: &str, status: &CommitStatus) -> Result<(), HostError> {
        let state = match status.state {
            CommitState::Pending => "pending",
            CommitState::Success => "success",
            CommitState::Failure => "failure",
            CommitState::Cancelled => "error",
        };
        let mut body = json!({
            "state": state, "context": status.context,
            "description": status.description.chars().take(DESCRIPTION).collect::<String>(),
        });
        if let Some(target) = &status.target {
            body["target_url"] = json!(target);
        }
        let route = format!("/repos/{repository}/statuses/{commit}");
        let _: serde_json::Value = self.client.post(route, Some(&body)).await.map_err(|error| failed(&error))?;
        Ok(())
    }

    pub async fn find_comment(&self, repository: &RepositoryName, number: i64, mark: &str) -> Result<Option<i64>, HostError> {
        for page in 1..=PAGES {
            let route = format!("/repos/{repository}/issues/{number}/comments");
            let parameters = [("per_page", PER_PAGE.to_string()), ("page", page.to_string())];
            let comments: Vec<Comment> = self.client.get(route, Some(&parameters)).await.map_err(|error| failed(&error))?;
            let found = comments.iter().find(|comment| comment.body.as_deref().is_some_and(|body| body.contains(mark)));
            if found.is_some() || comments.len() < PER_PAGE {
                return Ok(found.map(|comment| comment.id));
            }
        }
        Ok(None)
    }

    pub async fn create_comment(&self, repository: &RepositoryName, number: i64, body: &str) -> Result<i64, HostError> {
        let route = format!("/repos/{repository}/issues/{number}/comments");
        let created: Created = self.client.post(route, Some(&json!({"body": body}))).await.map_err(|error| failed(&error))?;
        Ok(created.id)
    }

    pub async fn update_comment(&self, repository: &RepositoryName, comment: i64, body: &str) -> Result<(), HostError> {
        let route = format!("/repos/{repository}/issues/comments/{comment}");
        let _: Created = self.client.patch(route, Some(&json!({"body": body}))).await.map_err(|error| failed(&error))?;
        Ok(())
    }
}

fn failed(error: &octocrab::Error) -> HostError {
    match error {
        octocrab::Error::GitHub { source, .. } => {
            HostError::of_status(GitHost::GitHub, source.status_code.as_u16(), &source.message)
        }
        // The other errors print a backtrace of theirs.
        error => {
            let text = error.to_string();
            HostError::unreachable(GitHost::GitHub, text.lines().next().unwrap_or_default())
        }
    }
}
