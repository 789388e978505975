//! Foundations of all resources: extractors, errors, pages, entity tags, idempotency keys, streams, and the document that
//! describes them.

pub(super) mod capitals;
pub(super) mod conditional;
pub(super) mod deprecation;
pub(super) mod docs_page;
pub(super) mod document;
pub(super) mod error;
pub(super) mod event_stream;
pub(super) mod extract;
pub(super) mod idempotency;
pub(crate) mod paging;
pub(super) mod respond;
