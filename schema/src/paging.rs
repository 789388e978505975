//! How much of a list one query gets.

use async_graphql::Result;
use services::ServiceError;

use crate::error::to_graphql;

/// How many nodes a page has when the query does not say.
pub const DEFAULT_PAGE: i32 = 20;
/// How many it may have.
pub const MAX_PAGE: i32 = 100;

/// The page size a query asked for.
pub fn page_size(first: Option<i32>) -> Result<i64> {
    match first.unwrap_or(DEFAULT_PAGE) {
        size @ 1..=MAX_PAGE => Ok(i64::from(size)),
        _ => Err(to_graphql(ServiceError::invalid("first", "OUT_OF_RANGE", format!("ask for 1 to {MAX_PAGE} at once")))),
    }
}
