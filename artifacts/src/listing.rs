//! Listing of a directory, in the one order and form from which its digest is computed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use domain::artifact::Digest;
use domain::link::stays_inside;
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::ArtifactError;
use crate::error::shown;

/// Limits of an artifact's content.
#[derive(Debug, Clone, Copy)]
pub struct ArtifactLimits {
    /// All files together, bytes.
    pub bytes: u64,
    /// Files, directories and links together.
    pub files: u64,
}

impl Default for ArtifactLimits {
    fn default() -> Self {
        Self { bytes: 2 << 30, files: 200_000 }
    }
}

/// One thing in a directory.
#[derive(Debug)]
pub(crate) struct Item {
    /// Relative to the directory.
    pub path: PathBuf,
    pub kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Directory,
    File { executable: bool, bytes: u64, shared: bool },
    Link { target: PathBuf },
}

/// Lists a directory, sorted. Sockets, pipes and devices, which a build may leave behind, are skipped.
pub(crate) fn list(directory: &Path, limits: &ArtifactLimits) -> Result<Vec<Item>, ArtifactError> {
    let mut items = Vec::new();
    let mut sum = 0_u64;
    for entry in WalkDir::new(directory).min_depth(1).sort_by(|a, b| a.file_name().cmp(b.file_name())) {
        let entry = entry.map_err(|error| {
            let path = error.path().and_then(|path| path.strip_prefix(directory).ok()).unwrap_or(Path::new(".")).to_owned();
            ArtifactError::unreadable(&path, &error.into())
        })?;
        let path = entry.path().strip_prefix(directory).unwrap_or(entry.path()).to_owned();
        let Some(kind) = kind(&entry, &path)? else { continue };
        if let Kind::File { bytes, .. } = kind {
            sum += bytes;
        }
        items.push(Item { path, kind });
        if sum > limits.bytes {
            return Err(ArtifactError::TooLarge { limit_bytes: limits.bytes });
        }
        if items.len() as u64 > limits.files {
            return Err(ArtifactError::TooMany { limit: limits.files });
        }
    }
    if items.iter().all(|item| matches!(item.kind, Kind::Directory)) { Err(ArtifactError::Empty) } else { Ok(items) }
}

fn kind(entry: &walkdir::DirEntry, path: &Path) -> Result<Option<Kind>, ArtifactError> {
    let unreadable = |error: &io::Error| ArtifactError::unreadable(path, error);
    let kind = entry.file_type();
    if kind.is_dir() {
        return Ok(Some(Kind::Directory));
    }
    if kind.is_symlink() {
        let target = fs::read_link(entry.path()).map_err(|error| unreadable(&error))?;
        return if stays_inside(path, &target) { Ok(Some(Kind::Link { target })) } else { Err(ArtifactError::Link(shown(path))) };
    }
    if !kind.is_file() {
        return Ok(None);
    }
    let meta = entry.metadata().map_err(|error| unreadable(&error.into()))?;
    let executable = meta.permissions().mode() & 0o100 != 0;
    Ok(Some(Kind::File { executable, bytes: meta.len(), shared: meta.nlink() > 1 }))
}

/// Makes the digest of a listing: for each item, in order, its kind, the length of its path, the path, and the SHA-256 of the
/// file's content, or of the link's target.
pub(crate) struct Listing(Sha256);

impl Listing {
    pub fn new() -> Self {
        Self(Sha256::new_with_prefix(b"mikrocloud artifact 1\n"))
    }

    pub fn add(&mut self, item: &Item, content: &[u8; 32]) {
        let kind = match item.kind {
            Kind::Directory => b'd',
            Kind::File { executable: false, .. } => b'f',
            Kind::File { executable: true, .. } => b'x',
            Kind::Link { .. } => b'l',
        };
        let path = item.path.as_os_str().as_bytes();
        self.0.update([kind]);
        self.0.update((path.len() as u64).to_be_bytes());
        self.0.update(path);
        self.0.update(content);
    }

    pub fn digest(self) -> Digest {
        Digest::from_bytes(&self.0.finalize().into())
    }
}

/// The SHA-256 of an item's content, and how many bytes it has.
pub(crate) fn content(directory: &Path, item: &Item) -> Result<([u8; 32], u64), ArtifactError> {
    match &item.kind {
        Kind::Directory => Ok(([0; 32], 0)),
        Kind::Link { target } => Ok((Sha256::digest(target.as_os_str().as_bytes()).into(), 0)),
        Kind::File { .. } => {
            let file = File::open(directory.join(&item.path)).map_err(|error| ArtifactError::unreadable(&item.path, &error))?;
            hash(file)
        }
    }
}

fn hash(mut file: File) -> Result<([u8; 32], u64), ArtifactError> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => return Ok((hasher.finalize().into(), bytes)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        bytes += read as u64;
        hasher.update(&chunk[..read]);
    }
}
