#![doc = include_str!("../README.md")]

mod error;
mod listing;
mod store;
#[cfg(test)]
mod tests;

pub use error::ArtifactError;
pub use listing::ArtifactLimits;
pub use store::{ArtifactStore, Stored};
