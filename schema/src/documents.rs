//! Parsed queries: clients send the same few texts again and again.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use lru::LruCache;

/// How many texts are kept, and the longest of them in bytes: together a few MiB at most, whatever clients send.
const TEXTS: NonZeroUsize = NonZeroUsize::new(128).unwrap();
const LONGEST: usize = 2048;

/// The texts that were parsed last.
pub struct Documents(Mutex<LruCache<String, Arc<ExecutableDocument>>>);

impl Default for Documents {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(TEXTS)))
    }
}

impl Documents {
    /// The document that a text says; `None` for one that is no document or too long to be kept, which the library deals with itself.
    pub fn parsed(&self, text: &str) -> Option<ExecutableDocument> {
        if text.len() > LONGEST {
            return None;
        }
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned();
        let document = match known {
            Some(document) => document,
            None => {
                let document = Arc::new(parse_query(text).ok()?);
                self.0.lock().unwrap_or_else(PoisonError::into_inner).put(text.to_owned(), Arc::clone(&document));
                document
            }
        };
        Some(Arc::unwrap_or_clone(document))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(documents: &Documents) -> usize {
        documents.0.lock().unwrap().len()
    }

    #[test]
    fn a_text_is_parsed_once() {
        let documents = Documents::default();
        for _ in 0..2 {
            assert_eq!(documents.parsed("{ me { role } }").unwrap().operations.iter().count(), 1);
        }
        assert_eq!(kept(&documents), 1);
    }

    #[test]
    fn neither_wrong_nor_long_texts_are_kept() {
        let documents = Documents::default();
        assert!(documents.parsed("{ me {").is_none());
        assert!(documents.parsed(&format!("{{ me {{ role }} }} #{}", "x".repeat(LONGEST))).is_none());
        assert_eq!(kept(&documents), 0);
    }

    #[test]
    fn the_texts_used_last_are_kept() {
        let documents = Documents::default();
        for number in 0..=TEXTS.get() {
            documents.parsed("{ often }");
            documents.parsed(&format!("{{ rare{number} }}"));
        }
        assert_eq!(kept(&documents), TEXTS.get());
        assert!(documents.0.lock().unwrap().contains("{ often }"));
    }
}
