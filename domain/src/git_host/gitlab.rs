//! GitLab's webhooks, by <https://docs.gitlab.com/user/project/integrations/webhook_events/>.

use chrono::{DateTime, NaiveDateTime};
use serde::Deserialize;

use super::payload::{aside, branch, commit, field, line, nothing, read, repository};
use super::{GitEvent, HostEvent, PayloadError, PullRequest, PullRequestAction, Push};
use crate::time::Timestamp;

#[derive(Deserialize)]
struct Project {
    path_with_namespace: String,
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct PushPayload {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
    project: Project,
}

#[derive(Deserialize)]
struct MergeRequestPayload {
    user: Option<User>,
    project: Project,
    object_attributes: MergeRequestFields,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct MergeRequestFields {
    iid: i64,
    title: String,
    /// Absent in test messages.
    action: Option<String>,
    /// There when the commits changed.
    oldrev: Option<String>,
    source_branch: String,
    /// Null once the fork is deleted.
    source_project_id: Option<i64>,
    target_project_id: i64,
    last_commit: Option<Commit>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

/// Reads a message whose `X-Gitlab-Event` is this.
pub fn parse(event: &str, body: &[u8]) -> Result<HostEvent, PayloadError> {
    match event {
        "Push Hook" => push(read(body)?),
        "Merge Request Hook" => merge_request(read(body)?),
        other => Ok(aside(nothing(format!("nothing follows from `{}` here", line(other))))),
    }
}

fn push(payload: PushPayload) -> Result<HostEvent, PayloadError> {
    let PushPayload { reference, after, project } = payload;
    let default_branch = project.default_branch.map(|name| name.parse()).transpose();
    let what = match (branch(&reference)?, commit(&after)?) {
        (Some(branch), Some(commit)) => GitEvent::Push(Push {
            branch,
            commit,
            default_branch: default_branch.map_err(|error| field("project.default_branch", error))?,
        }),
        (None, _) => nothing("it is about a tag, not about a branch"),
        (_, None) => nothing("the branch was deleted"),
    };
    Ok(HostEvent { repository: Some(repository(&project.path_with_namespace)?), installation: None, at: None, what })
}

fn merge_request(payload: MergeRequestPayload) -> Result<HostEvent, PayloadError> {
    let MergeRequestPayload { user, project, object_attributes: fields } = payload;
    let action = match fields.action.as_deref() {
        Some("open" | "reopen") => Some(PullRequestAction::Changed),
        Some("update") if fields.oldrev.is_some() => Some(PullRequestAction::Changed),
        Some("close" | "merge") => Some(PullRequestAction::Closed),
        _ => None,
    };
    let sha = fields.last_commit.map(|commit| commit.id).unwrap_or_default();
    let what = match action {
        None => nothing("its commits did not change"),
        Some(action) => GitEvent::PullRequest(PullRequest {
            number: if fields.iid > 0 { fields.iid } else { return Err(field("iid", "it is not above 0")) },
            action,
            title: line(&fields.title),
            author: user.map_or_else(|| "somebody".to_owned(), |user| line(&user.username)),
            branch: line(&fields.source_branch),
            commit: commit(&sha)?.ok_or_else(|| field("object_attributes.last_commit.id", "it is no commit"))?,
            is_fork: fields.source_project_id != Some(fields.target_project_id),
        }),
    };
    let at = fields.updated_at.as_deref().and_then(moment);
    Ok(HostEvent { repository: Some(repository(&project.path_with_namespace)?), installation: None, at, what })
}

/// GitLab writes RFC 3339 or `2013-12-03 17:23:34 UTC`, by its version.
fn moment(text: &str) -> Option<Timestamp> {
    let rfc = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    rfc.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S UTC").map(|at| at.and_utc())).ok()
}
