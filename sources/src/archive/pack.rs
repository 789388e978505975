//! Packing a directory for upload.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::link::stays_inside;
use flate2::Compression;
use flate2::write::GzEncoder;
use ignore::WalkBuilder;
use tar::{Builder, EntryType, Header};

use super::error::{ArchiveError, shown};

/// The file that excludes more than `.gitignore` does, in the same form.
const IGNORE_FILE: &str = ".mikrocloudignore";

/// Limits of packing.
#[derive(Debug, Clone, Copy)]
pub struct PackLimits {
    /// All files together, before compression, bytes.
    pub bytes: u64,
    /// Maximum number of files.
    pub files: u64,
}

impl Default for PackLimits {
    fn default() -> Self {
        Self { bytes: 2 << 30, files: 200_000 }
    }
}

/// Result of packing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackSummary {
    /// Number of files and links.
    pub files: u64,
    /// All files together, before compression, bytes.
    pub bytes: u64,
}

/// Writes the files of a directory as an archive: without `.git` and what `.gitignore` and `.mikrocloudignore` exclude, sorted,
/// without times and owners, so that the same files always give the same archive. Sockets and the like are left out.
pub fn pack(directory: &Path, out: impl Write, limits: &PackLimits) -> Result<PackSummary, ArchiveError> {
    let failed = |reason| ArchiveError::Unreadable { path: shown(directory), reason };
    let directory = &directory.canonicalize().map_err(|error| failed(error.kind()))?;
    if !directory.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory));
    }
    let mut packer = Packer {
        directory,
        archive: Builder::new(GzEncoder::new(out, Compression::default())),
        limits,
        summary: PackSummary::default(),
    };
    for entry in walk(directory).build() {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let kind = entry.file_type();
        if kind.is_some_and(|kind| kind.is_file()) {
            packer.add_file(entry.path())?;
        } else if kind.is_some_and(|kind| kind.is_symlink()) {
            packer.add_link(entry.path())?;
        }
    }
    if packer.summary.files == 0 {
        return Err(ArchiveError::Empty);
    }
    let compressed = packer.archive.into_inner().map_err(ArchiveError::Io)?;
    compressed.finish().and_then(|mut out| out.flush()).map_err(ArchiveError::Io)?;
    Ok(packer.summary)
}

fn walk(directory: &Path) -> WalkBuilder {
    let mut walk = WalkBuilder::new(directory);
    walk.standard_filters(false).git_ignore(true).require_git(false).add_custom_ignore_filename(IGNORE_FILE);
    walk.follow_links(false).filter_entry(|entry| entry.file_name() != ".git").sort_by_file_path(Path::cmp);
    walk
}

struct Packer<'a, W: Write> {
    directory: &'a Path,
    archive: Builder<GzEncoder<W>>,
    limits: &'a PackLimits,
    summary: PackSummary,
}

impl<W: Write> Packer<'_, W> {
    fn add_file(&mut self, path: &Path) -> Result<(), ArchiveError> {
        let name = self.name(path);
        let unreadable = |error: io::Error| ArchiveError::Unreadable { path: shown(&name), reason: error.kind() };
        let mut file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        self.count(meta.len())?;
        let executable = meta.permissions().mode() & 0o100 != 0;
        let mut header = header(EntryType::Regular, if executable { 0o755 } else { 0o644 });
        header.set_size(meta.len());
        let mut content = Counted { reader: (&mut file).take(meta.len()), read: 0, failed: None };
        let written = self.archive.append_data(&mut header, &name, &mut content);
        if let Some(error) = content.failed.take() {
            return Err(unreadable(error));
        }
        written.map_err(ArchiveError::Io)?;
        let read = content.read;
        let grown = read == meta.len() && file.read(&mut [0]).is_ok_and(|more| more > 0);
        if read < meta.len() || grown { Err(ArchiveError::Changed(shown(&name))) } else { Ok(()) }
    }

    fn add_link(&mut self, path: &Path) -> Result<(), ArchiveError> {
        let name = self.name(path);
        let target =
            fs::read_link(path).map_err(|error| ArchiveError::Unreadable { path: shown(&name), reason: error.kind() })?;
        if !stays_inside(&name, &target) {
            return Err(ArchiveError::Link(shown(&name)));
        }
        self.count(0)?;
        self.archive.append_link(&mut header(EntryType::Symlink, 0o777), &name, &target).map_err(ArchiveError::Io)
    }

    fn name(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.directory).unwrap_or(path).to_owned()
    }

    fn count(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.summary.files += 1;
        self.summary.bytes += bytes;
        if self.summary.bytes > self.limits.bytes {
            return Err(ArchiveError::TooLarge { limit_bytes: self.limits.bytes });
        }
        if self.summary.files > self.limits.files {
            return Err(ArchiveError::TooMany { limit: self.limits.files });
        }
        Ok(())
    }
}

fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(0);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn unreadable(directory: &Path, error: &ignore::Error) -> ArchiveError {
    let reason = error.io_error().map_or(io::ErrorKind::Other, io::Error::kind);
    let mut inner = error;
    let mut path = PathBuf::from(".");
    loop {
        match inner {
            ignore::Error::WithPath { path: place, err } => {
                place.strip_prefix(directory).unwrap_or(place).clone_into(&mut path);
                inner = err;
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => inner = err,
            _ => return ArchiveError::Unreadable { path: shown(&path), reason },
        }
    }
}

/// Knows how much was read, and tells an error of the file from one of the archive.
struct Counted<R> {
    reader: R,
    read: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.reader.read(buffer) {
            Ok(read) => {
                self.read += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
        }
    }
}
