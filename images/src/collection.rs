//! The collection that base images come from.

use std::path::Path;
use std::sync::Arc;

use clouds_contract::guard::Guards;
use clouds_contract::{CloudError, Desired, ErrorKind};
use clouds_wire::Wire;
use domain::workload::Server;

use crate::{Architecture, Base, BaseName, Image, Login, Registry, assemble, docker_archive};

/// Collection of the official images, unless told otherwise. It asks for no account and gives out enough.
const USUAL: &str = "public.ecr.aws/docker/library";

/// Label of an image with its deployment.
const DEPLOYMENT: &str = "org.mikrocloud.deployment";

/// A collection of the official images, such as `public.ecr.aws/docker/library`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    host: String,
    /// Beginning of names in it; empty, or with a slash at its end.
    prefix: String,
}

impl Default for Collection {
    fn default() -> Self {
        Self::at(USUAL)
    }
}

impl Collection {
    /// The collection at a host and path, such as `mirror.example.com/library`.
    pub fn at(place: &str) -> Self {
        let (host, path) = place.split_once('/').unwrap_or((place, ""));
        let path = path.trim_end_matches('/');
        Self { host: host.to_owned(), prefix: if path.is_empty() { String::new() } else { format!("{path}/") } }
    }

    /// The image of a deployment: the artifact's own, or its files on the base that fits them. `runs_on` is what runs it, for people.
    ///
    /// Fails with `ARCHITECTURE` if the build made programs for another processor than amd64.
    pub async fn image(
        &self,
        directory: &Path,
        desired: &Desired<Server>,
        runs_on: &str,
        (wire, guards): (&Wire, &Arc<Guards>),
    ) -> Result<Image, CloudError> {
        let labels = [(DEPLOYMENT, desired.deployment_id.to_string())];
        if let Some(settings) = &desired.spec.image {
            return docker_archive::read(&directory.join(docker_archive::ARCHIVE), settings.port, &labels).await;
        }
        let evidence = assemble::look(directory, &desired.spec).await?;
        if evidence.architecture != Architecture::Amd64 {
            let message = format!("the build made programs for arm64, and {runs_on} has amd64 alone: build on an amd64 machine");
            return Err(CloudError::new(ErrorKind::Invalid, "ARCHITECTURE", message));
        }
        let base = self.base(&BaseName::of(&evidence), evidence.architecture, wire, guards).await?;
        assemble::assemble(directory, &desired.spec, base, &labels).await
    }

    /// A base image; an empty one where the cloud is simulated, which runs programs of its own machine.
    pub async fn base(
        &self,
        name: &BaseName,
        architecture: Architecture,
        wire: &Wire,
        guards: &Arc<Guards>,
    ) -> Result<Base, CloudError> {
        if wire.is_simulated() {
            return Ok(Base::empty(architecture));
        }
        let registry = Arc::new(Registry::new(&self.host, &Login::Nobody, wire, Arc::clone(guards))?);
        Base::pull(&registry, &self.repository(&name.repository), &name.tag, architecture).await
    }

    /// Name in the registry of an image of the collection.
    fn repository(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_the_path() {
        assert_eq!(Collection::default().repository("node"), "docker/library/node");
        assert_eq!(Collection::at("mirror.example.com").repository("node"), "node");
        assert_eq!(Collection::at("mirror.example.com/a/").repository("node"), "a/node");
    }
}
