//! Page size of a request's list.

use crate::{Result, ServiceError};

/// Default number of items on a page.
pub const DEFAULT_PAGE: i64 = 20;
/// Maximum number of items on a page.
pub const MAX_PAGE: i64 = 100;

/// The page size a request asked for.
pub fn page_size(first: Option<i64>) -> Result<i64> {
    match first.unwrap_or(DEFAULT_PAGE) {
        size @ 1..=MAX_PAGE => Ok(size),
        _ => Err(ServiceError::invalid("first", "OUT_OF_RANGE", format!("ask for 1 to {MAX_PAGE} at once"))),
    }
}
