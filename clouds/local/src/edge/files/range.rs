//! Parts of a file (RFC 9110, section 14).

use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};

/// Part of a file that is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: nothing else was asked, or it was asked in a way that is to be ignored.
    Whole,
    /// The bytes from `first` to `last`, both included.
    Part {
        /// The first byte's offset.
        first: u64,
        /// The last byte's offset.
        last: u64,
    },
    /// Bytes that are not there.
    Unsatisfiable,
}

/// Returns the part of a file of this length and strong entity tag that is requested.
pub(crate) fn wanted(headers: &HeaderMap, length: u64, etag: &HeaderValue) -> Wanted {
    let Some(range) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else { return Wanted::Whole };
    // A date or a weak tag never matches: there is no date to compare with.
    if headers.get(IF_RANGE).is_some_and(|value| value != etag) {
        return Wanted::Whole;
    }
    parse(range, length).unwrap_or(Wanted::Whole)
}

/// `None` when it is no single byte range, which a server may ignore.
fn parse(range: &str, length: u64) -> Option<Wanted> {
    let (unit, set) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    Some(match (number(first)?, number(last)?) {
        (Number::Missing, Number::Missing) => return None,
        (Number::Is(first), Number::Is(last)) if last < first => return None,
        (Number::Missing, Number::Is(suffix)) if suffix == 0 || length == 0 => Wanted::Unsatisfiable,
        (Number::Missing, Number::Is(suffix)) => Wanted::Part { first: length.saturating_sub(suffix), last: length - 1 },
        (Number::Is(first), _) if first >= length => Wanted::Unsatisfiable,
        (Number::Is(first), Number::Is(last)) => Wanted::Part { first, last: last.min(length - 1) },
        (Number::Is(first), Number::Missing) => Wanted::Part { first, last: length - 1 },
    })
}

enum Number {
    Missing,
    Is(u64),
}

/// `None` for what is no number. One too large to hold is beyond any file.
fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Number::Missing);
    }
    text.bytes().all(|b| b.is_ascii_digit()).then(|| Number::Is(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_ranges() {
        let part = |first, last| Wanted::Part { first, last };
        let table = [
            ("bytes=0-0", 10, part(0, 0)),
            ("bytes=2-5", 10, part(2, 5)),
            ("Bytes = 2-5", 10, part(2, 5)),
            ("bytes=2-", 10, part(2, 9)),
            ("bytes=2-99", 10, part(2, 9)),
            ("bytes=-3", 10, part(7, 9)),
            ("bytes=-99", 10, part(0, 9)),
            ("bytes=-0", 10, Wanted::Unsatisfiable),
            ("bytes=10-", 10, Wanted::Unsatisfiable),
            ("bytes=99999999999999999999-", 10, Wanted::Unsatisfiable),
            ("bytes=0-", 0, Wanted::Unsatisfiable),
            ("bytes=-1", 0, Wanted::Unsatisfiable),
            ("bytes=5-2", 10, Wanted::Whole),
            ("bytes=0-1,4-5", 10, Wanted::Whole),
            ("bytes=-", 10, Wanted::Whole),
            ("bytes=a-b", 10, Wanted::Whole),
            ("lines=1-2", 10, Wanted::Whole),
            ("bytes", 10, Wanted::Whole),
        ];
        let etag = HeaderValue::from_static("\"x\"");
        for (range, length, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, range.parse().unwrap());
            assert_eq!(wanted(&headers, length, &etag), expected, "{range}");
        }
    }

    #[test]
    fn a_changed_file_is_sent_whole() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, "bytes=0-1".parse().unwrap());
        for (tag, expected) in
            [("\"x\"", Wanted::Part { first: 0, last: 1 }), ("\"y\"", Wanted::Whole), ("W/\"x\"", Wanted::Whole)]
        {
            headers.insert(IF_RANGE, tag.parse().unwrap());
            assert_eq!(wanted(&headers, 10, &HeaderValue::from_static("\"x\"")), expected, "{tag}");
        }
    }
}
