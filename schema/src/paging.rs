//! Relay connections over pages. A cursor is the id of its node.

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{OutputType, Result, SimpleObject};
use services::ServiceError;
use store::Page;

use crate::error::to_graphql;

/// How many nodes a page has when the query does not say.
pub const DEFAULT_PAGE: i32 = 20;
/// How many it may have.
pub const MAX_PAGE: i32 = 100;

/// How many nodes there are over all pages.
#[derive(SimpleObject)]
pub struct Total {
    /// How many nodes there are over all pages.
    pub total_count: i64,
}

/// The page size a query asked for.
pub fn page_size(first: Option<i32>) -> Result<i64> {
    match first.unwrap_or(DEFAULT_PAGE) {
        size @ 1..=MAX_PAGE => Ok(i64::from(size)),
        _ => Err(to_graphql(ServiceError::invalid("first", "OUT_OF_RANGE", format!("ask for 1 to {MAX_PAGE} at once")))),
    }
}

/// A page as a connection.
pub fn connection<T, N: OutputType>(
    page: Page<T>,
    is_first: bool,
    total: i64,
    cursor: impl Fn(&T) -> String,
    node: impl Fn(T) -> N,
) -> Connection<String, N, Total, EmptyFields> {
    let mut connection = Connection::with_additional_fields(!is_first, page.has_more, Total { total_count: total });
    connection.edges.extend(page.items.into_iter().map(|item| Edge::new(cursor(&item), node(item))));
    connection
}
