//! Kinds of things in AWS.

pub(crate) mod access_control;
pub(crate) mod bucket;
pub(crate) mod distribution;
pub(crate) mod files;
pub(crate) mod function;
pub(crate) mod objects;
pub(crate) mod store;

pub(crate) use access_control::AccessControl;
pub(crate) use bucket::Bucket;
pub(crate) use distribution::{Distribution, Wanted};
pub(crate) use files::{Files, Source};
pub(crate) use function::Function;
pub(crate) use store::Store;

use clouds_contract::{Asked, CloudError, ErrorKind, Found, FoundState, Outputs, Ownership};

/// A change that is done with the answer.
pub(super) fn done(id: impl Into<String>) -> Asked {
    Asked { id: Some(id.into()), ..Asked::default() }
}

/// A kind whose things never change.
pub(super) fn unchanging(kind: &str) -> CloudError {
    CloudError::new(ErrorKind::Internal, "INTERNAL", format!("{kind} is never changed once it is there"))
}

/// A thing that is there.
pub(super) fn there(id: impl Into<String>, owner: Ownership, is_current: bool, outputs: Outputs) -> Found {
    Found { id: id.into(), state: FoundState::Ready, is_current, owner, version: None, outputs }
}
