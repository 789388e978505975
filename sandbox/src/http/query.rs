//! Percent codes in paths and queries.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but what RFC 3986 leaves unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text behind the percent codes of a part of a path; invalid UTF-8 is replaced.
pub(crate) fn decode_path(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// A part of a path, with percent codes where a slash or anything else would mean something.
pub(crate) fn encode_path(part: &str) -> String {
    utf8_percent_encode(part, RESERVED).to_string()
}

/// The pairs of a query, decoded, in their order.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
