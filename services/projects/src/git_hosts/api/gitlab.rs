//! GitLab's REST API, by <https://docs.gitlab.com/api/rest/>.

use domain::git_host::{GitHost, RepositoryName};
use domain::secret::Secret;
use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{CommitState, CommitStatus, HostError, PATIENCE};

/// Maximum number of comments that are searched: the number of pages, and their size.
const PAGES: u32 = 5;
const PER_PAGE: usize = 100;
/// The longest description that GitLab takes.
const DESCRIPTION: usize = 255;

pub(crate) struct GitLab {
    client: reqwest::Client,
    api: Url,
    token: Secret,
}

#[derive(Deserialize)]
struct Note {
    id: i64,
    #[serde(default)]
    body: String,
}

impl GitLab {
    /// With somebody's token, or one of the project or group.
    pub fn new(api: Url, token: Secret) -> Result<Self, HostError> {
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self { client: client.map_err(|error| HostError::unreachable(GitHost::GitLab, error))?, api, token })
    }

    /// Returns the token for the API, and for the repository.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    pub async fn check(&self, repository: &RepositoryName) -> Result<(), HostError> {
        send(self.request(Method::GET, repository, &[])).await.map(drop)
    }

    pub async fn set_status(&self, repository: &RepositoryName, commit: &str, status: &CommitStatus) -> Result<(), HostError> {
        let state = match status.state {
            CommitState::Pending => "pending",
            CommitState::Success => "success",
            CommitState::Failure => "failed",
            CommitState::Cancelled => "canceled",
        };
        let mut body = json!({
            "state": state, "name": status.context,
            "description": status.description.chars().take(DESCRIPTION).collect::<String>(),
        });
        if let Some(target) = &status.target {
            body["target_url"] = json!(target);
        }
        match send(self.request(Method::POST, repository, &["statuses", commit]).json(&body)).await {
            // GitLab refuses to be told the state that it has, as after a process died before it wrote that it had told it.
            Err(HostError::Refused(message)) if message.contains("Cannot transition status") => Ok(()),
            other => other.map(drop),
        }
    }

    pub async fn find_comment(&self, repository: &RepositoryName, number: i64, mark: &str) -> Result<Option<i64>, HostError> {
        let number = number.to_string();
        for page in 1..=PAGES {
            let mut url = self.url(repository, &["merge_requests", &number, "notes"]);
            url.set_query(Some(&format!("per_page={PER_PAGE}&page={page}")));
            let notes: Vec<Note> = read(send(self.request_to(Method::GET, url)).await?).await?;
            let found = notes.iter().find(|note| note.body.contains(mark));
            if found.is_some() || notes.len() < PER_PAGE {
                return Ok(found.map(|note| note.id));
            }
        }
        Ok(None)
    }

    pub async fn create_comment(&self, repository: &RepositoryName, number: i64, body: &str) -> Result<i64, HostError> {
        let path = ["merge_requests", &number.to_string(), "notes"];
        let note: Note = read(send(self.request(Method::POST, repository, &path).json(&json!({"body": body}))).await?).await?;
        Ok(note.id)
    }

    pub async fn update_comment(&self, repository: &RepositoryName, number: i64, note: i64, body: &str) -> Result<(), HostError> {
        let path = ["merge_requests", &number.to_string(), "notes", &note.to_string()];
        send(self.request(Method::PUT, repository, &path).json(&json!({"body": body}))).await.map(drop)
    }

    /// The address of something of a project, which GitLab names by its path as one segment.
    fn url(&self, repository: &RepositoryName, path: &[&str]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["projects", repository.as_str()]).extend(path);
        }
        url
    }

    fn request(&self, method: Method, repository: &RepositoryName, path: &[&str]) -> RequestBuilder {
        self.request_to(method, self.url(repository, path))
    }

    fn request_to(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url).header("PRIVATE-TOKEN", self.token.expose())
    }
}

async fn send(request: RequestBuilder) -> Result<Response, HostError> {
    let response = request.send().await.map_err(|error| HostError::unreachable(GitHost::GitLab, jobs::handler::chain(&error)))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    Err(HostError::of_status(GitHost::GitLab, status.as_u16(), &text))
}

async fn read<T: serde::de::DeserializeOwned>(response: Response) -> Result<T, HostError> {
    response.json().await.map_err(|error| HostError::unreachable(GitHost::GitLab, jobs::handler::chain(&error)))
}
