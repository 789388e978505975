//! Layers and configurations.

use http::{Method, StatusCode};

use super::Registry;
use super::error::RegistryError;
use super::request::Request;
use crate::http::{Answer, Call};
use crate::world::digest_of;

impl Registry<'_> {
    /// Gives a blob, says that it is there, or removes it.
    pub(super) fn blob(&mut self, call: &Call, request: &Request, digest: &str) -> Result<Answer, RegistryError> {
        let unknown = || RegistryError::missing("BLOB_UNKNOWN", format!("blob unknown to registry: {digest}"));
        let key = request.key();
        let is_here = self.state.images.repository(&key).is_some_and(|repository| repository.blobs.contains(digest));
        let name = digest.strip_prefix("sha256:").filter(|_| is_here).ok_or_else(unknown)?;
        match call.method {
            Method::GET | Method::HEAD => {
                let content = self.blobs.get(name).map_err(|_| unknown())?;
                Ok(content_answer(call, "application/octet-stream", digest, content))
            }
            Method::DELETE => {
                self.state.images.repository_mut(&key).blobs.remove(digest);
                Ok(Answer::empty(StatusCode::ACCEPTED))
            }
            _ => Err(unsupported()),
        }
    }

    /// Begins an upload, mounts a blob of another repository, or takes a whole blob at once.
    pub(super) fn begin_upload(&mut self, call: &Call, request: &Request) -> Result<Answer, RegistryError> {
        if call.method != Method::POST {
            return Err(unsupported());
        }
        if let (Some(digest), Some(from)) = (call.parameter("mount"), call.parameter("from"))
            && self.mount(request, digest, from)
        {
            return Ok(created(request, "blobs", digest));
        }
        if let Some(digest) = call.parameter("digest") {
            return self.finish(request, digest, &call.body);
        }
        let id = self.uploads.begin();
        Ok(progress(request, &id, 0))
    }

    /// Adds to an upload, ends it or gives it up.
    pub(super) fn upload(&mut self, call: &Call, request: &Request, id: &str) -> Result<Answer, RegistryError> {
        let unknown = || RegistryError::missing("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        match call.method {
            Method::PATCH => {
                let size = self.uploads.add(id, &call.body).ok_or_else(unknown)?;
                Ok(progress(request, id, size))
            }
            Method::PUT => {
                let invalid = || RegistryError::invalid("DIGEST_INVALID", "the parameter digest is missing");
                let digest = call.parameter("digest").ok_or_else(invalid)?;
                let mut content = self.uploads.take(id).ok_or_else(unknown)?;
                content.extend_from_slice(&call.body);
                self.finish(request, digest, &content)
            }
            Method::GET => {
                let size = self.uploads.add(id, &[]).ok_or_else(unknown)?;
                Ok(Answer { status: StatusCode::NO_CONTENT, ..progress(request, id, size) })
            }
            Method::DELETE => {
                self.uploads.take(id).ok_or_else(unknown)?;
                Ok(Answer::empty(StatusCode::NO_CONTENT))
            }
            _ => Err(unsupported()),
        }
    }

    /// Takes over a blob of another repository of the same registry.
    fn mount(&mut self, request: &Request, digest: &str, from: &str) -> bool {
        let from = from.strip_prefix(&format!("{}/", request.host)).unwrap_or(from);
        let source = self.state.images.repository(&format!("{}/{from}", request.host));
        let is_there = source.is_some_and(|source| source.blobs.contains(digest));
        if is_there {
            self.state.images.repository_mut(&request.key()).blobs.insert(digest.to_owned());
        }
        is_there
    }

    fn finish(&mut self, request: &Request, digest: &str, content: &[u8]) -> Result<Answer, RegistryError> {
        let found = format!("sha256:{}", digest_of(content));
        if found != digest {
            return Err(RegistryError::invalid("DIGEST_INVALID", format!("the content has the digest {found}, not {digest}")));
        }
        self.blobs.put(content)?;
        self.state.images.repository_mut(&request.key()).blobs.insert(digest.to_owned());
        Ok(created(request, "blobs", digest))
    }
}

/// Content with its digest; the body stays away from answers to HEAD.
pub(super) fn content_answer(call: &Call, kind: &str, digest: &str, content: Vec<u8>) -> Answer {
    let length = content.len().to_string();
    let mut answer = Answer::empty(StatusCode::OK).with("content-type", kind).with("docker-content-digest", digest);
    if call.method == Method::HEAD {
        answer = answer.with("content-length", &length);
    } else {
        answer.body = content.into();
    }
    answer
}

/// Something was made under this digest.
pub(super) fn created(request: &Request, kind: &str, digest: &str) -> Answer {
    let answer = Answer::empty(StatusCode::CREATED).with("docker-content-digest", digest);
    answer.with("location", &request.address(kind, digest))
}

fn progress(request: &Request, id: &str, size: usize) -> Answer {
    let answer = Answer::empty(StatusCode::ACCEPTED).with("location", &request.upload_address(id));
    answer.with("docker-upload-uuid", id).with("range", &format!("0-{}", size.saturating_sub(1)))
}

/// The method means nothing here.
pub(super) fn unsupported() -> RegistryError {
    RegistryError::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "the operation is unsupported")
}
