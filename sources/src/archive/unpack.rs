//! Unpacking what was uploaded. Nothing in it is believed.
//!
//! Links are made last, when every file and directory is in place: while anything is written, the target holds no link that a path
//! could lead through. Long names are read here and not by the `tar` crate, which would take them into memory whatever their size.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use domain::link::stays_inside;
use flate2::read::GzDecoder;
use tar::{Archive, Entry, EntryType};

use super::error::{ArchiveError, shown};
use super::limit::{Limited, is_over};

/// Limits of an archive's content.
#[derive(Debug, Clone, Copy)]
pub struct UnpackLimits {
    /// All files together, bytes.
    pub bytes: u64,
    /// Files, directories and links together.
    pub files: u64,
    /// The longest path, bytes.
    pub path_len: usize,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { bytes: 2 << 30, files: 200_000, path_len: 1024 }
    }
}

/// Result of unpacking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnpackSummary {
    /// Number of files and links.
    pub files: u64,
    /// All files together, bytes.
    pub bytes: u64,
}

/// Unpacks an archive into `target`, which must be absent or empty. Of permissions only the executable bit is kept. Writes
/// nothing outside of `target`, whatever the archive says; on an error the caller removes `target`.
pub fn unpack(reader: impl Read, target: &Path, limits: &UnpackLimits) -> Result<UnpackSummary, ArchiveError> {
    fs::create_dir_all(target).map_err(ArchiveError::Io)?;
    if fs::read_dir(target).map_err(ArchiveError::Io)?.next().is_some() {
        return Err(ArchiveError::Io(io::ErrorKind::DirectoryNotEmpty.into()));
    }
    // Each entry has a header, its padding, and perhaps a record with a long name.
    let overhead = limits.files.saturating_mul(2048).saturating_add(1 << 20);
    let left = limits.bytes.saturating_add(overhead);
    let mut decoded = Limited { reader: GzDecoder::new(reader), left };
    let mut unpacker = Unpacker::new(target, limits);
    let mut archive = Archive::new(&mut decoded);
    for entry in archive.entries().map_err(ArchiveError::Io)?.raw(true) {
        unpacker.entry(entry.map_err(|error| invalid(error, limits))?)?;
    }
    // Gzip's checksum comes last.
    io::copy(&mut decoded, &mut io::sink()).map_err(|error| invalid(error, limits))?;
    unpacker.links()?;
    if unpacker.summary.files == 0 { Err(ArchiveError::Empty) } else { Ok(unpacker.summary) }
}

/// Converts an error while reading into an archive error.
fn invalid(error: io::Error, limits: &UnpackLimits) -> ArchiveError {
    if is_over(&error) {
        return ArchiveError::TooLarge { limit_bytes: limits.bytes };
    }
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
            ArchiveError::Invalid
        }
        _ => ArchiveError::Io(error),
    }
}

/// Attributes of an entry from the records before it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

struct Unpacker<'a> {
    target: &'a Path,
    limits: &'a UnpackLimits,
    directories: HashSet<PathBuf>,
    links: BTreeMap<PathBuf, PathBuf>,
    extended: Extended,
    entries: u64,
    summary: UnpackSummary,
}

impl<'a> Unpacker<'a> {
    fn new(target: &'a Path, limits: &'a UnpackLimits) -> Self {
        let (directories, links) = Default::default();
        Self { target, limits, directories, links, extended: Extended::default(), entries: 0, summary: UnpackSummary::default() }
    }

    fn entry<R: Read>(&mut self, mut entry: Entry<'_, R>) -> Result<(), ArchiveError> {
        match entry.header().entry_type() {
            EntryType::GNULongName => self.extended.path = Some(self.record(&mut entry)?),
            EntryType::GNULongLink => self.extended.link = Some(self.record(&mut entry)?),
            EntryType::XHeader => self.pax(&mut entry)?,
            // Says something about all entries; `git archive` puts the commit there.
            EntryType::XGlobalHeader => self.count()?,
            kind => {
                let Extended { path, link } = std::mem::take(&mut self.extended);
                let path = self.path(path.unwrap_or_else(|| entry.path_bytes().into_owned()))?;
                match kind {
                    _ if path.as_os_str().is_empty() => {}
                    EntryType::Directory => self.directory(&path)?,
                    EntryType::Regular | EntryType::Continuous => self.file(&path, &mut entry)?,
                    EntryType::Symlink => {
                        let target = link.or_else(|| entry.link_name_bytes().map(std::borrow::Cow::into_owned));
                        self.link(&path, target.unwrap_or_default())?;
                    }
                    _ => return Err(ArchiveError::Kind(shown(&path))),
                }
            }
        }
        Ok(())
    }

    /// The content of a record with a name, which ends at its NUL.
    fn record<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = self.content(entry, self.limits.path_len + 1)?;
        if bytes.last() == Some(&0) {
            bytes.pop();
        }
        Ok(bytes)
    }

    fn pax<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), ArchiveError> {
        let bytes = self.content(entry, 2 * self.limits.path_len + 16 * 1024)?;
        for field in tar::PaxExtensions::new(&bytes) {
            let field = field.map_err(|_| ArchiveError::Invalid)?;
            match field.key_bytes() {
                b"path" => self.extended.path = Some(field.value_bytes().to_owned()),
                b"linkpath" => self.extended.link = Some(field.value_bytes().to_owned()),
                // Another size than the header's, or holes: only files beyond our limits need them.
                key if key == b"size" || key.starts_with(b"GNU.sparse") => return Err(ArchiveError::Invalid),
                _ => {}
            }
        }
        Ok(())
    }

    fn content<R: Read>(&mut self, entry: &mut Entry<'_, R>, limit: usize) -> Result<Vec<u8>, ArchiveError> {
        self.count()?;
        let mut bytes = Vec::new();
        if entry.size() > limit as u64 {
            return Err(ArchiveError::Path("a name that is too long".to_owned()));
        }
        entry.read_to_end(&mut bytes).map_err(|error| invalid(error, self.limits))?;
        Ok(bytes)
    }

    /// The path as it is written below the target: names only.
    fn path(&self, bytes: Vec<u8>) -> Result<PathBuf, ArchiveError> {
        let refused = |path: &Path| ArchiveError::Path(shown(path));
        let too_long = bytes.len() > self.limits.path_len || bytes.split(|byte| *byte == b'/').any(|name| name.len() > 255);
        let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
        if too_long || path.as_os_str().is_empty() || path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(refused(&path));
        }
        let mut clean = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => clean.push(name),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(refused(&path)),
            }
        }
        Ok(clean)
    }

    fn directory(&mut self, path: &Path) -> Result<(), ArchiveError> {
        if path.as_os_str().is_empty() || self.directories.contains(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.directory(parent)?;
        }
        self.count()?;
        fs::create_dir(self.target.join(path)).map_err(|error| taken(path, error))?;
        self.directories.insert(path.to_owned());
        Ok(())
    }

    fn file<R: Read>(&mut self, path: &Path, entry: &mut Entry<'_, R>) -> Result<(), ArchiveError> {
        if let Some(parent) = path.parent() {
            self.directory(parent)?;
        }
        self.count()?;
        let size = entry.size();
        self.summary.bytes = self.summary.bytes.saturating_add(size);
        if self.summary.bytes > self.limits.bytes {
            return Err(ArchiveError::TooLarge { limit_bytes: self.limits.bytes });
        }
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(if executable { 0o755 } else { 0o644 });
        let mut file = options.open(self.target.join(path)).map_err(|error| taken(path, error))?;
        let written = io::copy(entry, &mut file).map_err(|error| invalid(error, self.limits))?;
        self.summary.files += 1;
        if written == size { Ok(()) } else { Err(ArchiveError::Invalid) }
    }

    fn link(&mut self, path: &Path, target: Vec<u8>) -> Result<(), ArchiveError> {
        self.count()?;
        let bad = target.is_empty() || target.contains(&0) || target.len() > self.limits.path_len;
        let target = PathBuf::from(std::ffi::OsString::from_vec(target));
        if bad || !stays_inside(path, &target) {
            return Err(ArchiveError::Link(shown(path)));
        }
        self.summary.files += 1;
        match self.links.insert(path.to_owned(), target) {
            Some(_) => Err(ArchiveError::Twice(shown(path))),
            None => Ok(()),
        }
    }

    fn links(&mut self) -> Result<(), ArchiveError> {
        let links = std::mem::take(&mut self.links);
        for path in links.keys() {
            // All parents are directories before the first link is there.
            self.directory(path.parent().unwrap_or(Path::new("")))?;
        }
        for (path, target) in &links {
            symlink(target, self.target.join(path)).map_err(|error| taken(path, error))?;
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), ArchiveError> {
        self.entries += 1;
        if self.entries > self.limits.files { Err(ArchiveError::TooMany { limit: self.limits.files }) } else { Ok(()) }
    }
}

/// Converts a failure to create a file into an archive error.
fn taken(path: &Path, error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => ArchiveError::Twice(shown(path)),
        io::ErrorKind::InvalidFilename => ArchiveError::Path(shown(path)),
        _ => ArchiveError::Io(error),
    }
}
