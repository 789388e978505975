//! Manifests and configurations of images, as the OCI image specification 1.1 and Docker's schema 2 have them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::BlobDigest;

/// Media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Processor that an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// `x86_64`.
    Amd64,
    /// `aarch64`.
    Arm64,
}

impl Architecture {
    /// Its name in images.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reference to a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Type of its content.
    pub media_type: String,
    /// Digest of its content.
    pub digest: BlobDigest,
    /// Size, bytes.
    pub size: u64,
    /// Remarks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// A blob of the OCI types, whatever of the equal types of Docker it had.
    pub(crate) fn in_oci_terms(mut self) -> Self {
        let equal = match self.media_type.as_str() {
            "application/vnd.docker.container.image.v1+json" => CONFIG,
            "application/vnd.docker.image.rootfs.diff.tar.gzip" => LAYER,
            "application/vnd.docker.image.rootfs.diff.tar" => "application/vnd.oci.image.layer.v1.tar",
            _ => return self,
        };
        equal.clone_into(&mut self.media_type);
        self
    }
}

/// Manifest of an image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the format, 2.
    pub schema_version: u32,
    /// Its own type.
    #[serde(default)]
    pub media_type: String,
    /// The image's configuration.
    pub config: Descriptor,
    /// Layers, the lowest first.
    pub layers: Vec<Descriptor>,
}

/// Manifests of one image for several platforms.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Index {
    pub manifests: Vec<IndexEntry>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct IndexEntry {
    pub digest: BlobDigest,
    #[serde(default)]
    pub platform: Option<Platform>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Platform {
    pub architecture: String,
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub variant: Option<String>,
}

impl Index {
    /// The manifest for Linux on a processor.
    pub fn pick(&self, architecture: Architecture) -> Option<&BlobDigest> {
        let fits = |platform: &Platform| {
            let variant = platform.variant.as_deref().is_none_or(|variant| variant == "v8");
            platform.os == "linux" && platform.architecture == architecture.name() && variant
        };
        self.manifests.iter().find(|entry| entry.platform.as_ref().is_some_and(fits)).map(|entry| &entry.digest)
    }

    /// Names of its processors, for messages.
    pub fn architectures(&self) -> String {
        let platforms = self.manifests.iter().filter_map(|entry| entry.platform.as_ref());
        platforms.map(|platform| platform.architecture.as_str()).filter(|name| *name != "unknown").collect::<Vec<_>>().join(", ")
    }
}
