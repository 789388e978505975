//! Blobs of storage accounts: the blob service's own API, with bearer tokens.

mod blobs;
mod containers;
mod copy;
mod error;
mod list;
mod request;
mod service;
mod upload;
mod website;
mod xml;

pub(crate) use website::{website_file, website_of};

use http::Method;

use crate::environment::Environment;
use crate::http::{Answer, Call};
use error::BlobError;
use request::Request;

/// Kind of a blob.
pub(super) const BLOB: &str = "blob";

/// Kind of blocks that no blob has yet; what deployments leave does not count them.
pub(crate) const BLOCKS: &str = "blob.blocks";

/// Answer of the blob service, or its error.
type Outcome = Result<Answer, BlobError>;

/// Answers a call to `<account>.blob.core.windows.net`.
pub(crate) fn answer(environment: Environment<'_>, call: &Call) -> Answer {
    let outcome = Request::new(environment, call).and_then(|mut request| route(&mut request));
    let answer = outcome.unwrap_or_else(|error| error.answer());
    let version = if call.header("x-ms-version").is_empty() { "2026-04-06" } else { call.header("x-ms-version") };
    answer.with("x-ms-version", version).with("x-ms-request-id", &uuid::Uuid::new_v4().to_string())
}

fn route(request: &mut Request<'_>) -> Outcome {
    let parameter = |name: &str| request.call.parameter(name).unwrap_or_default().to_owned();
    let (kind, what) = (parameter("restype"), parameter("comp"));
    let (has_container, has_blob) = (!request.container.is_empty(), !request.blob.is_empty());
    match (has_container, has_blob, kind.as_str(), what.as_str()) {
        (false, _, "service", "properties") => service::properties(request),
        (false, _, _, "list") => service::containers(request),
        (true, false, "container", "list") => list::blobs(request),
        (true, false, "container", "") => containers::one(request),
        (true, true, _, "block") => upload::block(request),
        (true, true, _, "blocklist") => upload::block_list(request),
        (true, true, _, "properties" | "metadata") if request.call.method == Method::PUT => blobs::update(request, &what),
        (true, true, _, "") => blobs::one(request),
        _ => Err(BlobError::unsupported()),
    }
}
