//! Base images: what an application's own layer stands on.

use std::sync::Arc;

use clouds_contract::{CloudError, ErrorKind};
use serde_json::{Value, json};

use crate::evidence::{Evidence, Runtime};
use crate::manifest::{DOCKER_INDEX, DOCKER_MANIFEST, INDEX, Index};
use crate::{Architecture, Blob, BlobSource, MANIFEST, Manifest, Registry};

/// A base image.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its configuration.
    pub(crate) config: Value,
    /// Its layers.
    pub(crate) layers: Vec<Blob>,
    /// Processor that it is for.
    pub(crate) architecture: Architecture,
    /// Remark for the log.
    pub(crate) note: String,
}

/// Name of a base image, such as `node:22-bookworm-slim`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseName {
    /// Repository within a collection of the official images.
    pub repository: String,
    /// Tag.
    pub tag: String,
}

impl BaseName {
    /// The base that fits what an artifact holds.
    pub fn of(evidence: &Evidence) -> Self {
        let version = evidence.version.as_deref();
        let (repository, tag) = match evidence.runtime {
            Runtime::Node => ("node", format!("{}-bookworm-slim", version.unwrap_or("22"))),
            Runtime::Python => ("python", format!("{}-slim-bookworm", version.unwrap_or("3.11"))),
            Runtime::Php => ("php", "8.4-cli-bookworm".to_owned()),
            Runtime::Ruby => ("ruby", "3.4-slim-bookworm".to_owned()),
            Runtime::Java => ("eclipse-temurin", "21-jre".to_owned()),
            Runtime::Other => ("debian", "bookworm-slim".to_owned()),
        };
        Self { repository: repository.to_owned(), tag }
    }
}

impl Base {
    /// A base image of a registry. Nothing but its manifest and configuration is fetched: layers go from registry to registry later.
    pub async fn pull(
        registry: &Arc<Registry>,
        repository: &str,
        reference: &str,
        architecture: Architecture,
    ) -> Result<Self, CloudError> {
        let types = [INDEX, DOCKER_INDEX, MANIFEST, DOCKER_MANIFEST];
        let mut bytes = registry.manifest(repository, reference, &types).await?;
        if let Ok(index) = serde_json::from_slice::<Index>(&bytes) {
            let digest = index.pick(architecture).ok_or_else(|| {
                let message = format!(
                    "the base image {repository}:{reference} is for {}, and the application for {architecture}: build on a machine of \
                     one of these",
                    index.architectures()
                );
                CloudError::new(ErrorKind::Invalid, "BASE_ARCHITECTURE", message)
            })?;
            bytes = registry.manifest(repository, &digest.to_string(), &types[2..]).await?;
        }
        let unreadable = |error| {
            let name = format!("{}/{repository}:{reference}", registry.host());
            CloudError::internal(format!("the base image {name} could not be read"), error)
        };
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(unreadable)?;
        let config = registry.blob(repository, &manifest.config.digest).await?;
        let config: Value = serde_json::from_slice(&config).map_err(unreadable)?;
        let layers = manifest.layers.into_iter().map(|layer| Blob {
            descriptor: layer.in_oci_terms(),
            source: BlobSource::Registry(Arc::clone(registry), repository.to_owned()),
        });
        let note = format!("base image {}/{repository}:{reference}", registry.host());
        Ok(Self { config, layers: layers.collect(), architecture, note })
    }

    /// A base without anything in it: for a simulated cloud, which runs the application's layer with programs of its own machine.
    pub fn empty(architecture: Architecture) -> Self {
        let config = json!({"architecture": architecture.name(), "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}});
        Self { config, layers: Vec::new(), architecture, note: "no base image: the cloud is simulated".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_have_their_bases() {
        let name = |runtime, version: Option<&str>| {
            let evidence = Evidence { runtime, version: version.map(str::to_owned), architecture: Architecture::Amd64 };
            let BaseName { repository, tag } = BaseName::of(&evidence);
            format!("{repository}:{tag}")
        };
        assert_eq!(name(Runtime::Node, None), "node:22-bookworm-slim");
        assert_eq!(name(Runtime::Node, Some("20")), "node:20-bookworm-slim");
        assert_eq!(name(Runtime::Python, Some("3.13")), "python:3.13-slim-bookworm");
        assert_eq!(name(Runtime::Other, Some("1")), "debian:bookworm-slim");
    }
}
