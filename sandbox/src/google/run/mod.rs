//! Cloud Run: services and their revisions (Admin API v2).

mod address;
mod check;
mod condition;
mod defaults;
mod mask;
mod revision;
mod service;
mod settle;
mod traffic;

use http::Method;

use super::{Context, GoogleError, Outcome, operation, policy};
use crate::http::Answer;

pub(crate) use check::{image_of, variables};
pub(crate) use settle::{settle_revision, settle_service};
pub(crate) use traffic::{Shown, shown_by};

/// State of the condition `Ready` of a revision.
pub(crate) fn revision_state(revision: &serde_json::Value) -> &str {
    condition::ready_state(&revision["conditions"])
}

/// Kind of a service.
pub(crate) const SERVICE: &str = "run.services";
/// Kind of a revision.
pub(crate) const REVISION: &str = "run.revisions";

/// Place of a service.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub project: String,
    pub location: String,
    /// The service's short name; empty for the collection.
    pub service: String,
}

impl Place {
    pub fn parent(&self) -> String {
        format!("projects/{}/locations/{}", self.project, self.location)
    }

    /// The service's full name.
    pub fn name(&self) -> String {
        format!("{}/services/{}", self.parent(), self.service)
    }

    pub fn key(&self) -> String {
        format!("run/{}", self.name())
    }

    /// The place of a service by its key.
    pub fn of_key(key: &str) -> Option<Self> {
        let mut parts = key.split('/');
        let (_, _, project, _, location, _, service) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self { project: project.to_owned(), location: location.to_owned(), service: service.to_owned() })
    }
}

/// Answers a call to `run.googleapis.com`.
pub(super) fn answer(context: &mut Context<'_>) -> Outcome {
    let parts = context.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["v2", "projects", project, "locations", location, rest @ ..] = parts.as_slice() else {
        return Err(context.unknown_method());
    };
    context.need_api(project)?;
    let place =
        |service: &str| Place { project: (*project).to_owned(), location: (*location).to_owned(), service: service.to_owned() };
    let verb = context.verb.clone();
    match (&context.call.method, rest, verb.as_str()) {
        (&Method::GET, ["operations", _], "") | (&Method::POST, ["operations", _], "wait") => operation::get(context, "run"),
        (&Method::POST, ["services"], "") => service::create(context, &place("")),
        (&Method::GET, ["services"], "") => service::list(context, &place("")),
        (&Method::GET, ["services", name], "") => service::get(context, &place(name)),
        (&Method::PATCH, ["services", name], "") => service::patch(context, &place(name)),
        (&Method::DELETE, ["services", name], "") => service::delete(context, &place(name)),
        (_, ["services", name], verb) => iam(context, &place(name), verb),
        (&Method::GET, ["services", name, "revisions"], "") => revision::list(context, &place(name)),
        (&Method::GET, ["services", name, "revisions", revision], "") => revision::get(context, &place(name), revision),
        (&Method::DELETE, ["services", name, "revisions", revision], "") => revision::delete(context, &place(name), revision),
        _ => Err(context.unknown_method()),
    }
}

fn iam(context: &mut Context<'_>, place: &Place, verb: &str) -> Outcome {
    let (key, name) = (place.key(), place.name());
    if !context.state.google.contains(&key) {
        return Err(GoogleError::not_found(format!(
            "Resource '{}' of kind 'SERVICE' in region '{}' in project '{}' does not exist.",
            place.service, place.location, place.project
        )));
    }
    let method = context.call.method.clone();
    match (&method, verb) {
        (&Method::GET, "getIamPolicy") => {
            context.need("run.services.getIamPolicy", &name)?;
            Ok(Answer::ok(&policy::get(context.state, &key)))
        }
        (&Method::POST, "setIamPolicy") => {
            context.need("run.services.setIamPolicy", &name)?;
            let wanted = context.body()?.get("policy").cloned().unwrap_or_default();
            Ok(Answer::ok(&policy::set(context, &key, &wanted)?))
        }
        (&Method::POST, "testIamPermissions") => Ok(Answer::ok(&policy::granted(context, &context.body()?))),
        _ => Err(context.unknown_method()),
    }
}
