#![doc = include_str!("../README.md")]

mod archive;
mod error;
mod listing;
mod objects;
mod shared;
mod store;
#[cfg(test)]
mod tests;

pub use error::ArtifactError;
pub use listing::ArtifactLimits;
pub use objects::{ObjectError, Objects};
pub use shared::Artifacts;
pub use store::{ArtifactStore, Prepared, Stored};
