//! Kinds of things in Google Cloud.

pub(crate) mod account;
pub(crate) mod apis;
pub(crate) mod bucket;
pub(crate) mod files;
pub(crate) mod image;
pub(crate) mod repository;
pub(crate) mod revision;
pub(crate) mod secret;
pub(crate) mod service;

pub(crate) use account::ServiceAccount;
pub(crate) use apis::Apis;
pub(crate) use bucket::Bucket;
pub(crate) use files::Files;
pub(crate) use image::{From, ImageThing, Make, ensure_image};
pub(crate) use repository::Repository;
pub(crate) use revision::RevisionThing;
pub(crate) use secret::{Content, SecretThing};
pub(crate) use service::ServiceThing;

use clouds_contract::{Asked, CloudError, ErrorKind, Operation};

/// A change that is done with the answer.
pub(super) fn done(id: impl Into<String>) -> Asked {
    Asked { id: Some(id.into()), ..Asked::default() }
}

/// A change whose operation is followed.
pub(super) fn begun(id: Option<String>, operation: Option<Operation>, poll: std::time::Duration) -> Asked {
    Asked { id, operation, retry_after: poll }
}

/// A kind whose things never change.
pub(super) fn unchanging(kind: &str) -> CloudError {
    CloudError::new(ErrorKind::Internal, "INTERNAL", format!("{kind} is never changed once it is there"))
}

/// A new service account is not known everywhere at once (cloud.google.com/iam/docs/service-accounts-create): then it is waited for.
pub(super) fn until_known(error: CloudError) -> CloudError {
    let is_unknown = error.kind == ErrorKind::Invalid && error.message.contains("does not exist");
    if !is_unknown {
        return error;
    }
    CloudError::new(ErrorKind::Busy, "BUSY", "Google does not yet know the new service account everywhere").caused_by(error)
}
