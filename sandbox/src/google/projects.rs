//! Cloud Resource Manager: projects, which exist as soon as somebody names them.

use http::Method;
use serde_json::json;

use super::region::project_number;
use super::{Context, GoogleError, Outcome, policy};
use crate::http::Answer;
use crate::world::Object;

/// Kind of a project; what deployments leave does not count them.
pub(crate) const KIND: &str = "cloudresourcemanager.projects";

/// Answers a call to `cloudresourcemanager.googleapis.com`.
pub(super) fn answer(context: &mut Context<'_>) -> Outcome {
    let parts = context.parts();
    let ["v1" | "v3", "projects", project] = parts.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        return Err(context.unknown_method());
    };
    context.need_api(project)?;
    let name = format!("projects/{project}");
    let key = key(project);
    ensure(context, project)?;
    let verb = context.verb.clone();
    match (&context.call.method, verb.as_str()) {
        (&Method::GET, "") => {
            context.need("resourcemanager.projects.get", &name)?;
            Ok(Answer::ok(&describe(project)))
        }
        (&Method::POST, "testIamPermissions") => Ok(Answer::ok(&policy::granted(context, &context.body()?))),
        (&Method::POST, "getIamPolicy") => {
            context.need("resourcemanager.projects.getIamPolicy", &name)?;
            Ok(Answer::ok(&policy::get(context.state, &key)))
        }
        (&Method::POST, "setIamPolicy") => {
            context.need("resourcemanager.projects.setIamPolicy", &name)?;
            let wanted = context.body()?.get("policy").cloned().unwrap_or_default();
            Ok(Answer::ok(&policy::set(context, &key, &wanted)?))
        }
        _ => Err(context.unknown_method()),
    }
}

/// Key of a project.
pub(super) fn key(project: &str) -> String {
    format!("cloudresourcemanager/projects/{project}")
}

fn ensure(context: &mut Context<'_>, project: &str) -> Result<(), GoogleError> {
    let is_id = (6..=30).contains(&project.len())
        && project.starts_with(|first: char| first.is_ascii_lowercase())
        && project.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !is_id {
        return Err(GoogleError::denied("resourcemanager.projects.get", &format!("projects/{project}")));
    }
    let key = key(project);
    if !context.state.google.contains(&key) {
        context.state.google.insert(key, Object::new(KIND, json!({})));
    }
    Ok(())
}

fn describe(project: &str) -> serde_json::Value {
    json!({
        "name": format!("projects/{}", project_number(project)),
        "projectId": project,
        "displayName": project,
        "state": "ACTIVE",
        "createTime": "2026-01-01T00:00:00.000Z",
        "etag": "W/\"1\"",
    })
}
