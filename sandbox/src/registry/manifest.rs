//! Manifests and tags.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Registry;
use super::blob::{content_answer, created, unsupported};
use super::error::RegistryError;
use super::images::{Repository, StoredManifest};
use super::request::Request;
use crate::http::{Answer, Call};
use crate::world::digest_of;

impl Registry<'_> {
    /// Gives, takes or removes a manifest.
    pub(super) fn manifest(&mut self, call: &Call, request: &Request, reference: &str) -> Result<Answer, RegistryError> {
        match call.method {
            Method::GET | Method::HEAD => self.give_manifest(call, request, reference),
            Method::PUT => self.take_manifest(call, request, reference),
            Method::DELETE => self.delete_manifest(request, reference),
            _ => Err(unsupported()),
        }
    }

    fn give_manifest(&self, call: &Call, request: &Request, reference: &str) -> Result<Answer, RegistryError> {
        let unknown = || RegistryError::missing("MANIFEST_UNKNOWN", format!("manifest unknown: {reference}"));
        let repository = self.state.images.repository(&request.key()).ok_or_else(unknown)?;
        let digest = repository.digest(reference).ok_or_else(unknown)?;
        let stored = repository.manifests.get(&digest).ok_or_else(unknown)?;
        let content = self.blobs.get(digest.trim_start_matches("sha256:"))?;
        Ok(content_answer(call, &stored.media_type, &digest, content))
    }

    fn take_manifest(&mut self, call: &Call, request: &Request, reference: &str) -> Result<Answer, RegistryError> {
        let invalid = |message: String| RegistryError::invalid("MANIFEST_INVALID", message);
        let manifest: Value = serde_json::from_slice(&call.body).map_err(|error| invalid(error.to_string()))?;
        let digest = format!("sha256:{}", digest_of(&call.body));
        if reference.contains(':') && reference != digest {
            return Err(RegistryError::invalid("DIGEST_INVALID", format!("the manifest has the digest {digest}")));
        }
        let media_type = manifest.get("mediaType").and_then(Value::as_str).unwrap_or(call.header("content-type")).to_owned();
        let at = self.state.stamp();
        let repository = self.state.images.repository_mut(&request.key());
        let bytes = check_parts(repository, &manifest)? + call.body.len() as u64;
        self.blobs.put(&call.body)?;
        repository.manifests.insert(digest.clone(), StoredManifest { media_type, bytes, at });
        if !reference.contains(':') {
            repository.tags.insert(reference.to_owned(), digest.clone());
        }
        Ok(created(request, "manifests", &digest))
    }

    fn delete_manifest(&mut self, request: &Request, reference: &str) -> Result<Answer, RegistryError> {
        let key = request.key();
        let repository = self.state.images.repository_mut(&key);
        let is_removed = if reference.contains(':') {
            repository.remove_manifest(reference)
        } else {
            repository.tags.remove(reference).is_some()
        };
        if !is_removed {
            return Err(RegistryError::missing("MANIFEST_UNKNOWN", format!("manifest unknown: {reference}")));
        }
        if repository.manifests.is_empty() {
            self.state.images.remove(&key);
        }
        Ok(Answer::empty(StatusCode::ACCEPTED))
    }

    /// Names of the tags.
    pub(super) fn tags(&self, request: &Request) -> Answer {
        let repository = self.state.images.repository(&request.key());
        let tags: Vec<_> = repository.iter().flat_map(|repository| repository.tags.keys()).collect();
        Answer::ok(&json!({"name": request.repository, "tags": tags}))
    }
}

/// Checks that everything a manifest names is in the repository, and returns its size.
fn check_parts(repository: &Repository, manifest: &Value) -> Result<u64, RegistryError> {
    let listed = |field: &str| manifest.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut bytes = 0;
    for part in manifest.get("config").cloned().into_iter().chain(listed("layers")) {
        let digest = part.get("digest").and_then(Value::as_str).unwrap_or_default();
        if !repository.blobs.contains(digest) {
            return Err(RegistryError::invalid("MANIFEST_BLOB_UNKNOWN", format!("blob unknown to registry: {digest}")));
        }
        bytes += part.get("size").and_then(Value::as_u64).unwrap_or(0);
    }
    for part in listed("manifests") {
        let digest = part.get("digest").and_then(Value::as_str).unwrap_or_default();
        if !repository.manifests.contains_key(digest) {
            return Err(RegistryError::invalid("MANIFEST_UNKNOWN", format!("manifest unknown: {digest}")));
        }
    }
    Ok(bytes)
}
