//! Container registries of the three clouds: the OCI distribution protocol, with their token exchanges in front.

mod access;
mod blob;
mod error;
mod images;
mod manifest;
mod request;
mod token;
mod uploads;

pub(crate) use images::{Images, Repository, StoredManifest};
pub(crate) use uploads::Uploads;

use crate::http::{Answer, Call};
use crate::world::{Blobs, State};
use error::RegistryError;
use request::{Request, Target};

/// Host under which calls to the sandbox's own `/v2/` are known: the registry's own stands in the path.
pub(crate) const OWN_HOST: &str = "own-docker.pkg.dev";

/// The cloud of an image, by the key of its repository.
pub(crate) fn cloud_of(key: &str) -> &'static str {
    token::vendor_of(key.split('/').next().unwrap_or_default()).name()
}

/// A registry with everything that it works on.
pub(crate) struct Registry<'a> {
    pub state: &'a mut State,
    pub blobs: &'a Blobs,
    pub uploads: &'a Uploads,
}

impl Registry<'_> {
    /// Answers a call to a registry.
    pub fn answer(&mut self, call: &Call) -> Answer {
        if let Some(answer) = token::answer(self.state, call) {
            return answer;
        }
        self.respond(call).unwrap_or_else(|error| error.answer(call))
    }

    fn respond(&mut self, call: &Call) -> Result<Answer, RegistryError> {
        let request = Request::of(call)?;
        let subject = access::subject(self.state, call, &request)?;
        if matches!(request.target, Target::Root) {
            return Ok(Answer::ok(&serde_json::json!({})).with("docker-distribution-api-version", "registry/2.0"));
        }
        access::check(self.state, call, &request, &subject)?;
        match &request.target {
            Target::Root => Ok(Answer::ok(&serde_json::json!({}))),
            Target::Blob(digest) => self.blob(call, &request, digest),
            Target::Uploads => self.begin_upload(call, &request),
            Target::Upload(id) => self.upload(call, &request, id),
            Target::Manifest(reference) => self.manifest(call, &request, reference),
            Target::Tags => Ok(self.tags(&request)),
        }
    }
}
