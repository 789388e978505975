//! GitHub's webhooks, by <https://docs.github.com/en/webhooks/webhook-events-and-payloads>.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::payload::{aside, branch, commit, field, line, nothing, read, repository};
use super::{GitEvent, HostEvent, InstallationAction, InstallationChange, PayloadError, PullRequest, PullRequestAction, Push};
use crate::time::Timestamp;

/// A moment: GitHub writes seconds since 1970 in some places and RFC 3339 in others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(i64),
    Text(DateTime<Utc>),
}

impl Moment {
    fn timestamp(&self) -> Option<Timestamp> {
        match self {
            Self::Seconds(seconds) => DateTime::from_timestamp(*seconds, 0),
            Self::Text(at) => Some(*at),
        }
    }
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    default_branch: Option<String>,
    pushed_at: Option<Moment>,
}

#[derive(Deserialize)]
struct InstallationId {
    id: i64,
}

#[derive(Deserialize)]
struct PushPayload {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
    repository: Repository,
    installation: Option<InstallationId>,
}

#[derive(Deserialize)]
struct PullRequestPayload {
    action: String,
    number: i64,
    pull_request: PullRequestFields,
    repository: Repository,
    installation: Option<InstallationId>,
}

#[derive(Deserialize)]
struct PullRequestFields {
    title: String,
    updated_at: Moment,
    user: Option<Account>,
    head: Head,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "ref")]
    reference: String,
    sha: String,
    /// Null once the fork is deleted.
    repo: Option<HeadRepository>,
}

#[derive(Deserialize)]
struct HeadRepository {
    full_name: String,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

#[derive(Deserialize)]
struct InstallationPayload {
    action: String,
    installation: InstallationFields,
}

#[derive(Deserialize)]
struct InstallationFields {
    id: i64,
    account: Account,
    updated_at: Option<Moment>,
}

/// Reads a message whose `X-GitHub-Event` is this.
pub fn parse(event: &str, body: &[u8]) -> Result<HostEvent, PayloadError> {
    match event {
        "ping" => Ok(aside(GitEvent::Ping)),
        "push" => push(read(body)?),
        "pull_request" => pull_request(read(body)?),
        "installation" => Ok(installation(read(body)?)),
        other => Ok(aside(nothing(format!("nothing follows from `{}` here", line(other))))),
    }
}

fn push(payload: PushPayload) -> Result<HostEvent, PayloadError> {
    let PushPayload { reference, after, repository: about, installation } = payload;
    let default_branch = about.default_branch.map(|name| name.parse()).transpose();
    let what = match (branch(&reference)?, commit(&after)?) {
        (Some(branch), Some(commit)) => GitEvent::Push(Push {
            branch,
            commit,
            default_branch: default_branch.map_err(|error| field("repository.default_branch", error))?,
        }),
        (None, _) => nothing("it is about a tag, not about a branch"),
        (_, None) => nothing("the branch was deleted"),
    };
    Ok(HostEvent {
        repository: Some(repository(&about.full_name)?),
        installation: installation.map(|installation| installation.id),
        at: about.pushed_at.and_then(|at| at.timestamp()),
        what,
    })
}

fn pull_request(payload: PullRequestPayload) -> Result<HostEvent, PayloadError> {
    let PullRequestPayload { action, number, pull_request, repository: about, installation } = payload;
    let action = match action.as_str() {
        "opened" | "reopened" | "synchronize" => Some(PullRequestAction::Changed),
        "closed" => Some(PullRequestAction::Closed),
        _ => None,
    };
    let PullRequestFields { title, updated_at, user, head } = pull_request;
    let what = match action {
        None => nothing("its commits did not change"),
        Some(action) => GitEvent::PullRequest(PullRequest {
            number: if number > 0 { number } else { return Err(field("number", "it is not above 0")) },
            action,
            title: line(&title),
            author: user.map_or_else(|| "somebody".to_owned(), |user| line(&user.login)),
            branch: line(&head.reference),
            commit: commit(&head.sha)?.ok_or_else(|| field("pull_request.head.sha", "it is no commit"))?,
            is_fork: head.repo.is_none_or(|repo| !repo.full_name.eq_ignore_ascii_case(&about.full_name)),
        }),
    };
    Ok(HostEvent {
        repository: Some(repository(&about.full_name)?),
        installation: installation.map(|installation| installation.id),
        at: updated_at.timestamp(),
        what,
    })
}

fn installation(payload: InstallationPayload) -> HostEvent {
    let InstallationPayload { action, installation: InstallationFields { id, account, updated_at } } = payload;
    let action = match action.as_str() {
        "deleted" => InstallationAction::Deleted,
        "suspend" => InstallationAction::Suspended,
        _ => InstallationAction::Present,
    };
    let what = GitEvent::Installation(InstallationChange { id, account: line(&account.login), action });
    HostEvent { repository: None, installation: Some(id), at: updated_at.and_then(|at| at.timestamp()), what }
}
