//! Compressed copies of files, kept by the digest of the content: what another deployment has as well is not compressed again.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use walkdir::WalkDir;

use super::index::TEMPORARY;

/// Begins each file of copies, and counts their forms.
const MAGIC: [u8; 8] = *b"mkcopy1\n";

/// Length of the part of a file before the copies: [`MAGIC`] and the lengths of both, bytes.
const HEAD: usize = 24;

/// Disk space is given out in blocks of this size, bytes.
const BLOCK: u64 = 4096;

/// Copies of the files of all sites.
#[derive(Debug)]
pub(crate) struct CopyStore {
    directory: PathBuf,
    limit: u64,
    used: AtomicU64,
    counted: AtomicBool,
}

/// The copies of one file, one after the other in a file of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copies {
    pub brotli: Option<Place>,
    pub gzip: Option<Place>,
}

/// Part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Offset, bytes.
    pub offset: u64,
    /// In bytes.
    pub length: u64,
}

impl Copies {
    fn of_lengths(brotli: u64, gzip: u64) -> Self {
        let place = |offset, length| (length > 0).then_some(Place { offset, length });
        Self { brotli: place(HEAD as u64, brotli), gzip: place(HEAD as u64 + brotli, gzip) }
    }
}

impl CopyStore {
    /// The copies in this directory, which take at most `limit` bytes.
    pub fn new(directory: PathBuf, limit: u64) -> Self {
        Self { directory, limit, used: AtomicU64::new(0), counted: AtomicBool::new(false) }
    }

    /// Returns the file that has the copies of the content with this digest.
    pub fn file(&self, hash: &str) -> PathBuf {
        self.directory.join(hash.get(..2).unwrap_or_default()).join(hash)
    }

    /// Returns the copies of the content with this digest. `None` when it was never compressed, or when a loss of power left only a
    /// part of them.
    pub fn find(&self, hash: &str) -> Option<Copies> {
        let mut file = File::open(self.file(hash)).ok()?;
        let mut head = [0; HEAD];
        file.read_exact(&mut head).ok()?;
        let number = |at: usize| Some(u64::from_be_bytes(head.get(at..at + 8)?.try_into().ok()?));
        let (brotli, gzip) = (number(8)?, number(16)?);
        let whole = (HEAD as u64).checked_add(brotli)?.checked_add(gzip)? == file.metadata().ok()?.len();
        (whole && head.starts_with(&MAGIC)).then(|| Copies::of_lengths(brotli, gzip))
    }

    /// Keeps the copies of a content; an empty one says that it does not shrink.
    pub fn keep(&self, hash: &str, brotli: &[u8], gzip: &[u8]) -> io::Result<Copies> {
        let size = space((HEAD + brotli.len() + gzip.len()) as u64);
        if self.used.fetch_add(size, Ordering::Relaxed) + size > self.limit {
            self.used.fetch_sub(size, Ordering::Relaxed);
            let message = format!("the compressed copies of all sites would take more than {} MiB", self.limit >> 20);
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
        }
        let file = self.file(hash);
        let parent = file.parent().unwrap_or(&self.directory);
        fs::create_dir_all(parent)?;
        let mut temporary = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(parent)?;
        let (brotli_length, gzip_length) = (brotli.len() as u64, gzip.len() as u64);
        let parts = [&MAGIC[..], &brotli_length.to_be_bytes(), &gzip_length.to_be_bytes(), brotli, gzip];
        temporary.write_all(&parts.concat())?;
        temporary.persist(file)?;
        Ok(Copies::of_lengths(brotli_length, gzip_length))
    }

    /// Returns true once it is known how much there is from earlier.
    pub fn is_counted(&self) -> bool {
        self.counted.load(Ordering::Relaxed)
    }

    /// Removes the copies of contents that are not wanted any more, and what a killed process left half-made.
    pub fn keep_only(&self, wanted: &HashSet<String>) {
        let mut used = 0;
        for entry in WalkDir::new(&self.directory).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
            let is_wanted = entry.file_name().to_str().is_some_and(|name| wanted.contains(name));
            if !is_wanted && remove(entry.path()) {
                continue;
            }
            used += entry.metadata().map_or(0, |meta| space(meta.len()));
        }
        self.used.store(used, Ordering::Relaxed);
        self.counted.store(true, Ordering::Relaxed);
    }
}

fn space(length: u64) -> u64 {
    length.div_ceil(BLOCK) * BLOCK
}

fn remove(file: &Path) -> bool {
    fs::remove_file(file).inspect_err(|error| tracing::warn!(file = %file.display(), %error, "a copy is not removed")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(limit: u64) -> (tempfile::TempDir, CopyStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = CopyStore::new(directory.path().join("copies"), limit);
        (directory, store)
    }

    #[test]
    fn copies_are_found_again_whole_or_not_at_all() {
        let (_directory, store) = store(1 << 20);
        assert_eq!(store.find("abcd"), None);
        let kept = store.keep("abcd", b"brotli", b"gz").unwrap();
        assert_eq!(kept.brotli, Some(Place { offset: 24, length: 6 }));
        assert_eq!(kept.gzip, Some(Place { offset: 30, length: 2 }));
        assert_eq!(store.find("abcd"), Some(kept));
        assert_eq!(fs::read(store.file("abcd")).unwrap()[24..], *b"brotligz");
        store.keep("none", b"", b"").unwrap();
        assert_eq!(store.find("none"), Some(Copies { brotli: None, gzip: None }));
        let whole = fs::read(store.file("abcd")).unwrap();
        for damaged in [&whole[..31], &whole[..10], b"", b"something else, and longer than that"] {
            fs::write(store.file("abcd"), damaged).unwrap();
            assert_eq!(store.find("abcd"), None);
        }
    }

    #[test]
    fn the_space_is_bounded_and_comes_back_with_what_is_not_wanted() {
        let (directory, store) = store(2 * BLOCK);
        store.keep("one", b"x", b"").unwrap();
        store.keep("two", b"x", b"").unwrap();
        let full = store.keep("three", b"x", b"").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::QuotaExceeded);
        fs::write(directory.path().join("copies/on/.new-half"), "x").unwrap();
        store.keep_only(&HashSet::from(["two".to_owned()]));
        assert!(store.find("one").is_none() && store.find("two").is_some());
        assert!(!directory.path().join("copies/on/.new-half").exists());
        store.keep("three", b"x", b"").unwrap();
    }
}
