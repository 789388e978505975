//! Page size of a query's list.

use async_graphql::Result;

use crate::error::to_graphql;

/// The page size a query asked for.
pub fn page_size(first: Option<i32>) -> Result<i64> {
    services::paging::page_size(first.map(i64::from)).map_err(to_graphql)
}
