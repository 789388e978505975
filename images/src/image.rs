use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;

use crate::registry::Registry;
use crate::{BlobDigest, Descriptor, MANIFEST, Manifest};

/// Annotation that marks the layer with the application's own files.
pub const APPLICATION_LAYER: (&str, &str) = ("org.mikrocloud.layer", "application");

/// An image, ready to be pushed.
#[derive(Debug, Clone)]
pub struct Image {
    /// The manifest's bytes.
    pub manifest: Bytes,
    /// Media type of the manifest.
    pub media_type: String,
    /// Digest of the manifest, which is the image's name.
    pub digest: BlobDigest,
    /// Everything that the manifest refers to.
    pub blobs: Vec<Blob>,
    /// Port on which its program listens.
    pub port: u16,
    /// Remarks for the log of the deployment.
    pub notes: Vec<String>,
    /// Holds the files of the blobs until nobody needs them any more.
    pub(crate) files: Option<Arc<TempDir>>,
}

/// A blob and its source.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Reference to it.
    pub descriptor: Descriptor,
    /// Source of its bytes.
    pub source: BlobSource,
}

/// Source of a blob's bytes.
#[derive(Debug, Clone)]
pub enum BlobSource {
    /// Here.
    Bytes(Bytes),
    /// In a file.
    File(PathBuf),
    /// In a repository of a registry.
    Registry(Arc<Registry>, String),
}

impl Image {
    /// An image of a configuration and layers.
    pub(crate) fn of(config: Blob, layers: Vec<Blob>, port: u16) -> Self {
        let manifest = Manifest {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            config: config.descriptor.clone(),
            layers: layers.iter().map(|layer| layer.descriptor.clone()).collect(),
        };
        // A manifest is a tree of texts and numbers, which always has a form in JSON.
        let bytes = Bytes::from(serde_json::to_vec(&manifest).unwrap_or_default());
        let digest = BlobDigest::of(&bytes);
        let blobs = layers.into_iter().chain([config]).collect();
        Self { manifest: bytes, media_type: MANIFEST.to_owned(), digest, blobs, port, notes: Vec::new(), files: None }
    }
}

impl Blob {
    /// A blob of these bytes.
    pub(crate) fn bytes(media_type: &str, bytes: Bytes) -> Self {
        let digest = BlobDigest::of(&bytes);
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            digest,
            size: bytes.len() as u64,
            annotations: std::collections::BTreeMap::new(),
        };
        Self { descriptor, source: BlobSource::Bytes(bytes) }
    }
}
