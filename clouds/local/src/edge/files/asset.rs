//! One file of a site, with everything that is known of it beforehand.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderValue;

/// Files up to this size are kept in memory once they were asked for, bytes.
const SMALL: u64 = 1024 * 1024;

/// A file of a site.
#[derive(Debug)]
pub(crate) struct Asset {
    pub content_type: HeaderValue,
    /// Indicates that its name changes with its content.
    pub immutable: bool,
    /// The file as it is.
    pub identity: Variant,
    pub brotli: Option<Variant>,
    pub gzip: Option<Variant>,
}

/// One encoding of a file.
#[derive(Debug)]
pub(crate) struct Variant {
    pub file: PathBuf,
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

impl Variant {
    /// An encoding whose bytes are in this file.
    pub fn new(file: PathBuf, length: u64, etag: HeaderValue) -> Self {
        Self { file, length, content_length: HeaderValue::from(length), etag, kept: OnceLock::new() }
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
