//! Permission to use a repository.

use http::StatusCode;

use super::error::RegistryError;
use super::request::Request;
use super::token::{basic, owner, vendor_of};
use crate::google::apis;
use crate::http::{Call, Reach};
use crate::login::{Vendor, read};
use crate::world::State;

/// The caller, by bearer token or password.
pub(super) fn subject(state: &State, call: &Call, request: &Request) -> Result<String, RegistryError> {
    if vendor_of(&request.host) == Vendor::Aws {
        // ECR takes passwords alone. At the sandbox's own address one exchange of tokens is for all registries.
        let token = call.bearer().filter(|_| call.origin.reach == Reach::Own).map(str::to_owned);
        let presented = basic(call).map(|(_, password)| password).or(token);
        let claims = presented.and_then(|presented| read(state, Vendor::Aws, &presented).ok());
        return claims.map(|claims| claims.subject).ok_or_else(|| RegistryError::unauthorized("no basic auth credentials"));
    }
    let presented = call.bearer().map(str::to_owned).or_else(|| basic(call).map(|(_, password)| password));
    let missing = || RegistryError::unauthorized("authentication required");
    let (vendor, subject) = presented.and_then(|token| owner(state, &token)).ok_or_else(missing)?;
    let fits = request.host.is_empty() || vendor == vendor_of(&request.host);
    fits.then_some(subject).ok_or_else(|| RegistryError::unauthorized("the token is for another cloud"))
}

/// Checks that the repository exists and that the caller may use it.
pub(super) fn check(state: &State, call: &Call, request: &Request, subject: &str) -> Result<(), RegistryError> {
    match vendor_of(&request.host) {
        Vendor::Google => check_google(state, call, request, subject),
        Vendor::Azure => check_azure(state, call, request, subject),
        Vendor::Aws => {
            let message = format!("The repository with name '{}' does not exist", request.repository);
            let exists = state.aws.contains(&format!("ecr/{}", request.key()));
            if exists { Ok(()) } else { Err(RegistryError::missing("NAME_UNKNOWN", message)) }
        }
    }
}

fn denied(permission: &str, on: &str) -> RegistryError {
    let message = format!("Permission \"{permission}\" denied on resource \"{on}\" (or it may not exist)");
    RegistryError::new(StatusCode::FORBIDDEN, "DENIED", message)
}

fn check_google(state: &State, call: &Call, request: &Request, subject: &str) -> Result<(), RegistryError> {
    let location = request.host.trim_end_matches("-docker.pkg.dev");
    let mut parts = request.repository.split('/');
    let (Some(project), Some(repository), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(RegistryError::invalid("NAME_INVALID", "expected <project>/<repository>/<image>"));
    };
    if !apis::is_enabled(state, project, "artifactregistry.googleapis.com") {
        let message = format!("Artifact Registry API has not been used in project {project} before or it is disabled.");
        return Err(RegistryError::new(StatusCode::FORBIDDEN, "DENIED", message));
    }
    let name = format!("projects/{project}/locations/{location}/repositories/{repository}");
    let deletes = call.method == http::Method::DELETE;
    let permission = match (request.writes, deletes) {
        (_, true) => "artifactregistry.repositories.deleteArtifacts",
        (true, false) => "artifactregistry.repositories.uploadArtifacts",
        (false, false) => "artifactregistry.repositories.downloadArtifacts",
    };
    if !state.principals.allows(Vendor::Google, subject, permission) {
        return Err(denied(permission, &name));
    }
    let exists = state.google.get(&format!("artifactregistry/{name}")).is_some_and(|repository| repository.phase.is_none());
    if exists { Ok(()) } else { Err(RegistryError::missing("NAME_UNKNOWN", format!("Repository \"{repository}\" not found"))) }
}

fn check_azure(state: &State, call: &Call, request: &Request, subject: &str) -> Result<(), RegistryError> {
    let is_host = |object: &crate::world::Object| object.text("/properties/loginServer").eq_ignore_ascii_case(&request.host);
    if !state.azure.iter().any(|(_, object)| is_host(object) && object.phase.is_none()) {
        return Err(RegistryError::missing("NAME_UNKNOWN", format!("no registry answers as {}", request.host)));
    }
    let action = match (request.writes, &call.method) {
        (false, _) => "pull/read",
        (true, &http::Method::DELETE) => "artifacts/delete",
        (true, _) => "push/write",
    };
    let permission = format!("Microsoft.ContainerRegistry/registries/{action}");
    let allowed = state.principals.allows(Vendor::Azure, subject, &permission);
    if allowed { Ok(()) } else { Err(denied(&permission, &request.repository)) }
}
