//! The part of a registry that a call names.

use http::Method;

use super::error::RegistryError;
use crate::http::{Call, Reach, decode_path};

/// The part of a registry that a call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Root,
    Blob(String),
    Uploads,
    Upload(String),
    Manifest(String),
    Tags,
}

/// A call to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Host of the registry; empty for the root of the sandbox itself.
    pub host: String,
    /// Name of the repository within the registry.
    pub repository: String,
    pub target: Target,
    /// Returns true if it changes something.
    pub writes: bool,
    /// Path of the repository as the caller writes it.
    prefix: String,
}

impl Request {
    /// Reads `/v2/<repository>/..`; at the sandbox's own address the first part of the repository is the registry's host.
    pub fn of(call: &Call) -> Result<Self, RegistryError> {
        let unknown = || RegistryError::missing("NAME_UNKNOWN", format!("{} is no part of a registry", call.path()));
        let path = call.path().strip_prefix("/v2/").or_else(|| (call.path() == "/v2").then_some("")).ok_or_else(unknown)?;
        let writes = !matches!(call.method, Method::GET | Method::HEAD);
        let own = call.origin.reach == Reach::Own;
        if path.is_empty() {
            let host = if own { String::new() } else { call.host.clone() };
            return Ok(Self { host, repository: String::new(), target: Target::Root, writes, prefix: String::new() });
        }
        let (name, target) = split(path).ok_or_else(unknown)?;
        let (host, repository) = if own { name.split_once('/').ok_or_else(unknown)? } else { (call.host.as_str(), name) };
        let base = match call.origin.reach {
            Reach::Path => call.base(),
            Reach::Header | Reach::Host | Reach::Own => String::new(),
        };
        let prefix = format!("{base}/v2/{name}");
        Ok(Self { host: host.to_ascii_lowercase(), repository: decode_path(repository), target, writes, prefix })
    }

    /// Key of the repository among all registries.
    pub fn key(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }

    /// Address of an upload, as the caller reaches it.
    pub fn upload_address(&self, id: &str) -> String {
        format!("{}/blobs/uploads/{id}", self.prefix)
    }

    /// Address of a blob or manifest, as the caller reaches it.
    pub fn address(&self, kind: &str, reference: &str) -> String {
        format!("{}/{kind}/{reference}", self.prefix)
    }
}

fn split(path: &str) -> Option<(&str, Target)> {
    if let Some(name) = path.strip_suffix("/tags/list") {
        return Some((name, Target::Tags));
    }
    if let Some((name, reference)) = path.rsplit_once("/manifests/") {
        return Some((name, Target::Manifest(decode_path(reference))));
    }
    let (name, rest) = path.rsplit_once("/blobs/")?;
    let target = match rest.strip_prefix("uploads") {
        Some("" | "/") => Target::Uploads,
        Some(id) => Target::Upload(id.trim_start_matches('/').to_owned()),
        None => Target::Blob(decode_path(rest)),
    };
    Some((name, target))
}
