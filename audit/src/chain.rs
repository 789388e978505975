//! Hash chain of entries.

use domain::artifact::Digest;
use domain::id::TeamId;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The canonical form of a document (RFC 8785): the one text that stands for it.
pub fn canonical<T: Serialize>(document: &T) -> Result<String, serde_json::Error> {
    serde_json_canonicalizer::to_string(document)
}

/// Returns the digest that precedes the first entry of a team's log, so that an entry of another team fits nowhere.
pub fn genesis(team: TeamId) -> Digest {
    Digest::from_bytes(&Sha256::digest(format!("mikrocloud audit log\n{team}")).into())
}

/// The hash of an entry: SHA-256 over the bytes of the hash before it and its canonical text.
pub fn link(before: &Digest, canonical: &str) -> Digest {
    let mut hasher = Sha256::new();
    // A digest is 64 hexadecimal digits by its type.
    hasher.update(hex::decode(before.as_str()).unwrap_or_default());
    hasher.update(canonical);
    Digest::from_bytes(&hasher.finalize().into())
}

/// An entry as an export has it.
pub struct EntryLine<'a> {
    /// Its canonical text, as it was hashed.
    pub canonical: &'a str,
    /// Its hash.
    pub hash: &'a Digest,
}

impl EntryLine<'_> {
    /// The line, in canonical form.
    pub fn text(&self) -> String {
        // The keys are in order, and the entry is canonical already.
        format!("{{\"entry\":{},\"hash\":{},\"kind\":\"entry\"}}", self.canonical, json!(self.hash))
    }
}
