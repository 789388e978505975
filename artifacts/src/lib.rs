#![doc = include_str!("../README.md")]

mod address;
mod archive;
mod error;
mod listing;
mod objects;
mod shared;
mod store;
#[cfg(test)]
mod tests;

pub use address::parse_address;
pub use error::ArtifactError;
pub use listing::ArtifactLimits;
pub use objects::{ObjectError, Objects};
pub use shared::{Artifacts, KeptArtifact};
pub use store::{ArtifactStore, Prepared, Stored};
