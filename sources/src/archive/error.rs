//! Reasons for which a directory cannot be packed or an archive not be unpacked.

use std::io;

/// Reason for which a directory cannot be packed or an archive not be unpacked. Each message is safe to display and includes a
/// remedy.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is nothing to upload.
    #[error("there is no file to upload: check the directory, .gitignore and .mikrocloudignore")]
    Empty,
    /// Too much content.
    #[error("the files have more than {} MiB together: exclude what the build does not need in .mikrocloudignore", limit_bytes >> 20)]
    TooLarge {
        /// The limit, bytes.
        limit_bytes: u64,
    },
    /// Too many files.
    #[error("there are more than {limit} files and directories: exclude what the build does not need in .mikrocloudignore")]
    TooMany {
        /// The limit.
        limit: u64,
    },
    /// A file cannot be read.
    #[error("`{path}` cannot be read ({reason}): change its permissions, or exclude it in .mikrocloudignore")]
    Unreadable {
        /// The file.
        path: String,
        /// Error kind from the operating system.
        reason: io::ErrorKind,
    },
    /// A file grew or shrank while it was read.
    #[error("`{0}` changed while it was read: try again when nothing writes to it")]
    Changed(String),
    /// A link leads out of the directory.
    #[error("the link `{0}` leads out of the directory: replace it by the file itself, or exclude it in .mikrocloudignore")]
    Link(String),
    /// A name that would be written elsewhere, or that nobody can write.
    #[error("the archive is refused: `{0}` is no path inside of it")]
    Path(String),
    /// Something else than a file, a directory or a symbolic link.
    #[error("the archive is refused: `{0}` is neither a file, a directory nor a symbolic link")]
    Kind(String),
    /// The same name twice, or below something that is no directory.
    #[error("the archive is refused: `{0}` is in it twice, or below something that is no directory")]
    Twice(String),
    /// Not an archive, or not all of it.
    #[error("this is no complete tar archive compressed with gzip: upload it again")]
    Invalid,
    /// The other side of the upload, or this machine's disk.
    #[error("the archive could not be read or its files not be written: {0}")]
    Io(#[source] io::Error),
}

impl ArchiveError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "SOURCE_EMPTY",
            Self::TooLarge { .. } => "SOURCE_TOO_LARGE",
            Self::TooMany { .. } => "SOURCE_TOO_MANY_FILES",
            Self::Unreadable { .. } | Self::Changed(_) => "SOURCE_UNREADABLE",
            Self::Link(_) => "SOURCE_LINK",
            Self::Path(_) | Self::Kind(_) | Self::Twice(_) => "ARCHIVE_UNSAFE",
            Self::Invalid => "ARCHIVE_INVALID",
            Self::Io(_) => "ARCHIVE_IO",
        }
    }
}

/// A path for a message: bounded, on one line.
pub(super) fn shown(path: &std::path::Path) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { '?' } else { c }).take(200).collect()
}
