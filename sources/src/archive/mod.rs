//! The form in which a directory is uploaded: tar, compressed with gzip.

mod error;
mod limit;
mod pack;
#[cfg(test)]
mod tests;
mod unpack;

pub use error::ArchiveError;
pub use pack::{PackLimits, PackSummary, pack};
pub use unpack::{UnpackLimits, UnpackSummary, unpack};
