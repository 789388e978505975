//! Parsed queries: clients send the same few texts again and again.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use lru::LruCache;

use crate::bounds::is_shallow;

/// Maximum number of cached texts, and the length of the longest in bytes: together a few MiB at most, whatever clients send.
const TEXTS: NonZeroUsize = NonZeroUsize::new(128).unwrap();
const LONGEST: usize = 2048;

/// A text as it was parsed.
#[derive(Clone)]
pub struct Parsed {
    /// The parsed document.
    pub document: ExecutableDocument,
    /// Indicates that no two results have the same key.
    pub is_distinct: bool,
}

/// Marks a request in which no two answers come under the same key, so that none has to be merged with another.
pub struct Distinct;

/// The texts that were parsed last.
pub struct Documents(Mutex<LruCache<String, Arc<Parsed>>>);

impl Default for Documents {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(TEXTS)))
    }
}

impl Documents {
    fn texts(&self) -> MutexGuard<'_, LruCache<String, Arc<Parsed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The document that a text says; `None` for one that is no document, or too long or too deep to be kept, which is dealt with elsewhere.
    pub fn parsed(&self, text: &str) -> Option<Parsed> {
        if text.len() > LONGEST || !is_shallow(text) {
            return None;
        }
        let known = self.texts().get(text).cloned();
        if let Some(parsed) = known {
            return Some(Arc::unwrap_or_clone(parsed));
        }
        let document = parse_query(text).ok()?;
        let is_distinct = document.operations.iter().all(|(_, operation)| is_distinct(&operation.node.selection_set.node));
        let parsed = Parsed { document, is_distinct };
        self.texts().put(text.to_owned(), Arc::new(parsed.clone()));
        Some(parsed)
    }
}

/// Returns true if all keys of a selection differ, and recursively in each field. Fragments could add any key.
fn is_distinct(selection: &SelectionSet) -> bool {
    let mut keys = HashSet::new();
    selection.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => keys.insert(&field.node.response_key().node) && is_distinct(&field.node.selection_set.node),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(documents: &Documents) -> usize {
        documents.texts().len()
    }

    #[test]
    fn a_text_is_parsed_once() {
        let documents = Documents::default();
        for _ in 0..2 {
            assert_eq!(documents.parsed("{ me { role } }").unwrap().document.operations.iter().count(), 1);
        }
        assert_eq!(kept(&documents), 1);
    }

    #[test]
    fn keys_that_come_twice_and_fragments_are_noticed_at_any_depth() {
        for (text, expected) in [
            ("{ a { b c } d }", true),
            ("{ a { b } x: a { b } }", true),
            ("{ a { b b } }", false),
            ("{ a { b } a { c } }", false),
            ("{ a { b c: b c } }", false),
            ("{ a { ... { b } } }", false),
            ("{ a { ...F } } fragment F on A { b }", false),
            ("query Q { a { b } } query R { a { b b } }", false),
        ] {
            assert_eq!(Documents::default().parsed(text).unwrap().is_distinct, expected, "{text}");
        }
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
        assert!(documents.texts().contains("{ often }"));
    }
}
