//! One call to the blob service.

use http::StatusCode;

use super::BLOB;
use super::error::BlobError;
use crate::azure::types::{BLOB_CONTAINER, STORAGE_ACCOUNT};
use crate::environment::Environment;
use crate::http::Call;
use crate::login::{TokenError, Vendor, read};
use crate::world::{Blobs, Object, State};

/// One call to the blob service, whose token is valid.
pub(super) struct Request<'a> {
    pub call: &'a Call,
    pub state: &'a mut State,
    pub blobs: &'a Blobs,
    subject: String,
    /// Key of the account.
    pub account_key: String,
    /// Name of the container; empty for calls about the account.
    pub container: String,
    /// Name of the blob; empty for calls about the container.
    pub blob: String,
}

/// Key of the account with this name, if it is ready.
pub(super) fn account_key(state: &State, name: &str) -> Option<String> {
    let is_this = |key: &str, object: &Object| {
        object.kind == STORAGE_ACCOUNT.name && object.phase.is_none() && key.ends_with(&format!("/{name}"))
    };
    state.azure.iter().find(|(key, object)| is_this(key, object)).map(|(key, _)| key.clone())
}

/// Key of a container.
pub(super) fn container_key(account: &str, container: &str) -> String {
    format!("{account}/blobservices/default/containers/{container}")
}

/// Key of a blob; its name may have slashes, and its case counts.
pub(super) fn blob_key(account: &str, container: &str, blob: &str) -> String {
    format!("{}/blobs/{blob}", container_key(account, container))
}

impl<'a> Request<'a> {
    /// Reads a call and checks its token.
    pub fn new(environment: Environment<'a>, call: &'a Call) -> Result<Self, BlobError> {
        let Environment { state, blobs, .. } = environment;
        let account = call.host.split('.').next().unwrap_or_default().to_owned();
        let subject = subject(state, call)?;
        let unknown = || {
            BlobError::new(StatusCode::NOT_FOUND, "ResourceNotFound", "The specified resource does not exist: no such account.")
        };
        let account_key = account_key(state, &account).ok_or_else(unknown)?;
        let mut parts = call.segments().into_iter();
        let container = parts.next().unwrap_or_default();
        let mut request = Self { call, state, blobs, subject, account_key, container, blob: parts.collect::<Vec<_>>().join("/") };
        if request.blob.is_empty() && request.call.parameter("restype").is_none() && request.call.parameter("comp").is_none() {
            // A blob of the root container.
            request.blob = std::mem::replace(&mut request.container, "$root".to_owned());
        }
        Ok(request)
    }

    /// Checks that the caller may do something with containers or blobs.
    pub fn need(&self, action: &str) -> Result<(), BlobError> {
        let action = format!("Microsoft.Storage/storageAccounts/blobServices/{action}");
        if self.state.principals.allows(Vendor::Azure, &self.subject, &action) {
            return Ok(());
        }
        let message = format!("This request is not authorized to perform this operation using this permission: {action}.");
        Err(BlobError::new(StatusCode::FORBIDDEN, "AuthorizationPermissionMismatch", message))
    }

    pub fn container_key(&self) -> String {
        container_key(&self.account_key, &self.container)
    }

    pub fn blob_key(&self) -> String {
        blob_key(&self.account_key, &self.container, &self.blob)
    }

    /// Checks that the container exists.
    pub fn need_container(&self) -> Result<(), BlobError> {
        let container = self.state.azure.get(&self.container_key()).filter(|object| object.kind == BLOB_CONTAINER.name);
        container.map(|_| ()).ok_or_else(BlobError::no_container)
    }

    /// The blob, which has to exist.
    pub fn existing(&self) -> Result<&Object, BlobError> {
        self.need_container()?;
        self.state.azure.get(&self.blob_key()).filter(|object| object.kind == BLOB).ok_or_else(BlobError::no_blob)
    }

    /// Checks `If-Match` and `If-None-Match` of a write.
    pub fn check_conditions(&self) -> Result<(), BlobError> {
        let current = self.state.azure.get(&self.blob_key()).map(|object| object.text("/properties/etag"));
        let (matches, none_matches) = (self.call.header("if-match"), self.call.header("if-none-match"));
        if none_matches == "*" && current.is_some() {
            return Err(BlobError::conflict("BlobAlreadyExists", "The specified blob already exists."));
        }
        let is_met = match (matches, none_matches) {
            ("", "") => true,
            ("*", _) => current.is_some(),
            ("", other) => current != Some(other),
            (wanted, _) => current == Some(wanted),
        };
        if is_met { Ok(()) } else { Err(BlobError::condition()) }
    }
}

/// The caller, by a token for storage.
fn subject(state: &State, call: &Call) -> Result<String, BlobError> {
    let refused = |code, message: &str| BlobError::new(StatusCode::UNAUTHORIZED, code, message);
    let missing =
        || refused("NoAuthenticationInformation", "Server failed to authenticate the request: no bearer token was given.");
    let claims = read(state, Vendor::Azure, call.bearer().ok_or_else(missing)?).map_err(|error| match error {
        TokenError::Expired => refused("InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired."),
        TokenError::Invalid => refused("InvalidAuthenticationInfo", "Issuer or signature validation failed."),
    })?;
    let audience = claims.body["aud"].as_str().unwrap_or_default().trim_end_matches('/');
    if !audience.is_empty() && audience != "https://storage.azure.com" && audience != format!("https://{}", call.host) {
        return Err(refused("InvalidAuthenticationInfo", "Audience validation failed. Audience did not match."));
    }
    if call.header("x-ms-version").is_empty() {
        return Err(BlobError::invalid(
            "MissingRequiredHeader",
            "An HTTP header that's mandatory for this request is not specified: x-ms-version.",
        ));
    }
    Ok(claims.subject)
}
