//! Parsing that the payloads of all hosts share.

use serde::de::DeserializeOwned;

use super::{GitEvent, HostEvent, PayloadError, RepositoryName};
use crate::source::Reference;

/// Maximum length to which texts by people are truncated, in characters.
const KEPT: usize = 200;

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, PayloadError> {
    serde_json::from_slice(body).map_err(|error| PayloadError::Malformed(error.to_string()))
}

pub(super) fn repository(name: &str) -> Result<RepositoryName, PayloadError> {
    name.parse().map_err(|error| field("repository", error))
}

/// A whole commit id; none for the zeros that stand for no commit.
pub(super) fn commit(text: &str) -> Result<Option<Reference>, PayloadError> {
    if text.is_empty() || text.bytes().all(|byte| byte == b'0') {
        return Ok(None);
    }
    let commit: Reference = text.parse().map_err(|error| field("commit", error))?;
    if commit.is_commit() { Ok(Some(commit)) } else { Err(field("commit", "it is no whole commit id")) }
}

/// The branch that a full reference names, if it names one.
pub(super) fn branch(reference: &str) -> Result<Option<Reference>, PayloadError> {
    let name = reference.strip_prefix("refs/heads/");
    name.map(|name| name.parse().map_err(|error| field("ref", error))).transpose()
}

/// A text that people wrote, on one line and of bounded length.
pub(super) fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(KEPT).collect()
}

pub(super) fn field(field: &'static str, problem: impl std::fmt::Display) -> PayloadError {
    PayloadError::Field { field, problem: problem.to_string() }
}

pub(super) fn nothing(reason: impl Into<String>) -> GitEvent {
    GitEvent::Nothing { reason: reason.into() }
}

/// An event that is about no repository.
pub(super) fn aside(what: GitEvent) -> HostEvent {
    HostEvent { repository: None, installation: None, at: None, what }
}
