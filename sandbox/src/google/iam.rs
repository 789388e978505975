//! Identity and Access Management: service accounts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::context::{listed, page};
use super::region::project_number;
use super::{Context, GoogleError, Outcome, policy};
use crate::http::Answer;
use crate::world::{Object, State, digest_of};

/// Kind of a service account.
const KIND: &str = "iam.serviceAccounts";

/// Answers a call to `iam.googleapis.com`.
pub(super) fn answer(context: &mut Context<'_>) -> Outcome {
    let parts = context.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let verb = context.verb.clone();
    match (&context.call.method, parts.as_slice(), verb.as_str()) {
        (&Method::POST, ["v1", "projects", project, "serviceAccounts"], "") => create(context, project),
        (&Method::GET, ["v1", "projects", project, "serviceAccounts"], "") => list(context, project),
        (method, ["v1", "projects", project, "serviceAccounts", email], verb) => {
            let project = if *project == "-" {
                email.split_once('@').map_or("", |(_, domain)| domain.split('.').next().unwrap_or(""))
            } else {
                project
            };
            one(context, method, project, email, verb)
        }
        _ => Err(context.unknown_method()),
    }
}

fn key(project: &str, email: &str) -> String {
    format!("iam/projects/{project}/serviceAccounts/{email}")
}

/// The number of a service account, which follows from its address; 21 digits, as Google's.
pub(crate) fn unique_number(email: &str) -> String {
    let number = u64::from_str_radix(&digest_of(email.as_bytes())[..14], 16).unwrap_or(0);
    format!("1{number:020}")
}

/// Returns true if a service account can be used: it exists, or comes with the project.
pub(super) fn exists(state: &State, project: &str, email: &str) -> bool {
    email == default_account(project) || state.google.contains(&key(project, email))
}

/// The service account of a project's workloads that name none.
pub(super) fn default_account(project: &str) -> String {
    format!("{}-compute@developer.gserviceaccount.com", project_number(project))
}

fn create(context: &mut Context<'_>, project: &str) -> Outcome {
    context.need_api(project)?;
    context.need("iam.serviceAccounts.create", &format!("projects/{project}"))?;
    let body = context.body()?;
    let id = body.get("accountId").and_then(Value::as_str).unwrap_or_default();
    let is_id = (6..=30).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
        && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !is_id {
        return Err(GoogleError::invalid(format!(
            "The account ID \"{id}\" does not match the pattern ^[a-z](?:[-a-z0-9]{{4,28}}[a-z0-9])$."
        )));
    }
    let email = format!("{id}@{project}.iam.gserviceaccount.com");
    let key = key(project, &email);
    if context.state.google.contains(&key) {
        return Err(GoogleError::exists(format!("Service account {id} already exists within project projects/{project}.")));
    }
    let details = body.get("serviceAccount").cloned().unwrap_or_default();
    let text = |name: &str| details.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let unique = unique_number(&email);
    let account = json!({
        "name": format!("projects/{project}/serviceAccounts/{email}"), "projectId": project, "uniqueId": unique,
        "email": email, "displayName": text("displayName"), "description": text("description"),
        "etag": STANDARD.encode(&unique[..8]), "oauth2ClientId": unique,
    });
    context.state.google.insert(key, Object::new(KIND, account.clone()));
    Ok(Answer::ok(&account))
}

fn list(context: &mut Context<'_>, project: &str) -> Outcome {
    context.need_api(project)?;
    context.need("iam.serviceAccounts.list", &format!("projects/{project}"))?;
    let collection = format!("iam/projects/{project}/serviceAccounts/");
    let accounts = context.state.google.children(&collection).map(|(key, object)| (key.clone(), object.body.clone())).collect();
    Ok(Answer::ok(&listed("accounts", page(context.call, "pageSize", accounts))))
}

fn one(context: &mut Context<'_>, method: &Method, project: &str, email: &str, verb: &str) -> Outcome {
    context.need_api(project)?;
    let name = format!("projects/{project}/serviceAccounts/{email}");
    let key = key(project, email);
    let account = context.state.google.get(&key).map(|object| object.body.clone());
    let account = account.ok_or_else(|| GoogleError::not_found(format!("Unknown service account {email}")))?;
    match (method, verb) {
        (&Method::GET, "") => {
            context.need("iam.serviceAccounts.get", &name)?;
            Ok(Answer::ok(&account))
        }
        (&Method::DELETE, "") => {
            context.need("iam.serviceAccounts.delete", &name)?;
            context.state.google.remove(&key);
            Ok(Answer::ok(&json!({})))
        }
        (&Method::PATCH, "") => update(context, &key, &name),
        (&Method::POST, "getIamPolicy") => {
            context.need("iam.serviceAccounts.getIamPolicy", &name)?;
            Ok(Answer::ok(&policy::get(context.state, &key)))
        }
        (&Method::POST, "setIamPolicy") => {
            context.need("iam.serviceAccounts.setIamPolicy", &name)?;
            let wanted = context.body()?.get("policy").cloned().unwrap_or_default();
            Ok(Answer::ok(&policy::set(context, &key, &wanted)?))
        }
        (&Method::POST, "testIamPermissions") => Ok(Answer::ok(&policy::granted(context, &context.body()?))),
        _ => Err(context.unknown_method()),
    }
}

fn update(context: &mut Context<'_>, key: &str, name: &str) -> Outcome {
    context.need("iam.serviceAccounts.update", name)?;
    let wanted = context.body()?.get("serviceAccount").cloned().unwrap_or_default();
    let object = context.state.google.get_mut(key).ok_or_else(|| GoogleError::not_found("Unknown service account"))?;
    for field in ["displayName", "description"] {
        if let Some(value) = wanted.get(field) {
            object.body[field] = value.clone();
        }
    }
    Ok(Answer::ok(&object.body))
}
