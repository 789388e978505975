//! Entry points of the fuzz targets.

use http::Uri;

/// The address of the page after a cursor.
pub fn next_page(uri: &Uri, cursor: &str) -> String {
    crate::rest::protocol::paging::address_after(uri, cursor)
}
