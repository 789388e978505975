//! Errors of storing an artifact.

use std::io;
use std::path::Path;

use crate::objects::ObjectError;

/// Reason for which something cannot be stored as an artifact. Each message is safe to display and includes a remedy.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// There is no file in it.
    #[error("the output directory holds no file: check the build, and [build] output in mikrocloud.toml")]
    Empty,
    /// Too much content.
    #[error("the output has more than {} MiB: leave out what is not needed to run, or raise the limit", limit_bytes >> 20)]
    TooLarge {
        /// The limit, bytes.
        limit_bytes: u64,
    },
    /// Too many files.
    #[error("the output has more than {limit} files and directories: leave out what is not needed to run, or raise the limit")]
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// A link leads out of it.
    #[error("the link `{0}` leads out of the output directory, where nothing follows it: let the build copy the file instead")]
    Link(String),
    /// A file cannot be read.
    #[error("`{path}` in the output cannot be read ({reason}): let the build leave files that their owner may read")]
    Unreadable {
        /// The file.
        path: String,
        /// Error kind from the operating system.
        reason: io::ErrorKind,
    },
    /// It is not there.
    #[error("the artifact is no longer there: deploy the source again")]
    Gone,
    /// Corruption: the object store returned other content than was stored.
    #[error("the artifact is damaged in the object store: deploy the source again")]
    Damaged,
    /// The object store.
    #[error("the object store does not do its work: {0}")]
    Objects(#[from] ObjectError),
    /// This machine's disk.
    #[error("the artifact could not be stored: {0}")]
    Io(#[from] io::Error),
}

impl ArtifactError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "OUTPUT_EMPTY",
            Self::TooLarge { .. } | Self::TooMany { .. } => "OUTPUT_TOO_LARGE",
            Self::Link(_) => "OUTPUT_LINK",
            Self::Unreadable { .. } => "OUTPUT_UNREADABLE",
            Self::Gone => "ARTIFACT_GONE",
            Self::Damaged => "ARTIFACT_DAMAGED",
            Self::Objects(_) => "OBJECT_STORE",
            Self::Io(_) => "ARTIFACT_IO",
        }
    }

    /// Returns true if a retry can succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Objects(_))
    }

    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::Unreadable { path: shown(path), reason: error.kind() }
    }
}

/// A path for a message: bounded, on one line.
pub(crate) fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '?' } else { c }).take(200).collect()
}
