//! One file of a site, with everything that is known of it beforehand.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderValue;

use super::copies::{Copies, Place};
use super::negotiate::Encoding;

/// Files up to this size are kept in memory once they were asked for, bytes.
const SMALL: u64 = 1024 * 1024;

/// A file of a site.
#[derive(Debug)]
pub(crate) struct Asset {
    pub content_type: HeaderValue,
    /// Indicates that its name changes with its content.
    pub immutable: bool,
    /// The encoding that the site's rules name for it, when it is stored so.
    pub stored: Option<Encoding>,
    /// The file as it is.
    pub identity: Variant,
    /// Unknown until it was tried.
    copies: OnceLock<CopyVariants>,
}

/// The compressed copies of a file.
#[derive(Debug, Default)]
pub(crate) struct CopyVariants {
    pub brotli: Option<Variant>,
    pub gzip: Option<Variant>,
}

/// One encoding of a file.
#[derive(Debug)]
pub(crate) struct Variant {
    pub file: PathBuf,
    /// Offset in the file, bytes.
    pub offset: u64,
    /// In bytes.
    pub length: u64,
    /// The same as a header.
    pub content_length: HeaderValue,
    /// Strong: it names the content and the encoding.
    pub etag: HeaderValue,
    kept: OnceLock<Kept>,
}

#[derive(Debug)]
struct Kept {
    bytes: Bytes,
    budget: Arc<MemoryBudget>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes.len() as u64, Ordering::Relaxed);
    }
}

/// Limit of the memory in which all sites' files are cached.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: u64,
    used: AtomicU64,
}

impl MemoryBudget {
    /// A budget of this many bytes.
    pub fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicU64::new(0) })
    }

    fn take(&self, bytes: u64) -> bool {
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| used.checked_add(bytes).filter(|sum| *sum <= self.limit));
        taken.is_ok()
    }
}

impl Asset {
    /// A file that was not compressed yet.
    pub fn new(content_type: HeaderValue, immutable: bool, stored: Option<Encoding>, identity: Variant) -> Self {
        Self { content_type, immutable, stored, identity, copies: OnceLock::new() }
    }

    /// Says that it stays as it is.
    pub fn set_no_copies(&self) {
        let _ = self.copies.set(CopyVariants::default());
    }

    /// Takes compressed copies, which are in a file of their own, of the content with this digest.
    pub fn set_copies(&self, copies: Copies, file: &Path, hash: &str) {
        let variant = |place: Option<Place>, coding: &str| {
            let Place { offset, length } = place?;
            let etag = HeaderValue::from_str(&format!("\"{hash}-{coding}\"")).ok()?;
            Some(Variant { offset, ..Variant::new(file.to_owned(), length, etag) })
        };
        // Those that it has already are of the same content.
        let _ = self.copies.set(CopyVariants { brotli: variant(copies.brotli, "br"), gzip: variant(copies.gzip, "gz") });
    }

    /// The compressed copies, once it is known which there are.
    pub fn copies(&self) -> Option<&CopyVariants> {
        self.copies.get()
    }

    /// Returns true if its encoding depends on the request, now or once it is compressed.
    pub fn is_negotiated(&self) -> bool {
        self.copies().is_none_or(|copies| copies.brotli.is_some() || copies.gzip.is_some())
    }
}

impl Variant {
    /// An encoding whose bytes are all of this file.
    pub fn new(file: PathBuf, length: u64, etag: HeaderValue) -> Self {
        Self { file, offset: 0, length, content_length: HeaderValue::from(length), etag, kept: OnceLock::new() }
    }

    /// The bytes, when they are in memory.
    pub fn bytes(&self) -> Option<&Bytes> {
        self.kept.get().map(|kept| &kept.bytes)
    }

    /// Returns true if it is small enough to be read at once and perhaps cached.
    pub fn is_small(&self) -> bool {
        self.length <= SMALL
    }

    /// Keeps the bytes while the budget lasts.
    pub fn keep(&self, bytes: &Bytes, budget: &Arc<MemoryBudget>) {
        let length = bytes.len() as u64;
        if self.kept.get().is_none() && budget.take(length) {
            // A second one who reads the same at once gives its share back by being dropped.
            let _ = self.kept.set(Kept { bytes: bytes.clone(), budget: Arc::clone(budget) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_never_passed_and_comes_back() {
        let budget = MemoryBudget::new(10);
        let variant = |length| Variant::new(PathBuf::new(), length, HeaderValue::from_static("\"x\""));
        let (first, second) = (variant(8), variant(4));
        first.keep(&Bytes::from_static(b"12345678"), &budget);
        second.keep(&Bytes::from_static(b"1234"), &budget);
        assert!(first.bytes().is_some() && second.bytes().is_none());
        drop(first);
        second.keep(&Bytes::from_static(b"1234"), &budget);
        second.keep(&Bytes::from_static(b"1234"), &budget);
        assert!(second.bytes().is_some());
        assert_eq!(budget.used.load(Ordering::Relaxed), 4);
    }
}
