//! Request paths.

use std::borrow::Cow;
use std::ops::Range;

/// The path with its percent escapes resolved, without its leading slash; `None` when it is no path a file can have. Nothing found
/// here is ever joined to a directory: it is only looked up among the names of the index.
pub fn decode(path: &str) -> Option<Cow<'_, str>> {
    let path = path.strip_prefix('/')?;
    let decoded = if path.as_bytes().contains(&b'%') { Cow::Owned(percent_decode(path)?) } else { Cow::Borrowed(path) };
    (!decoded.bytes().any(|byte| byte < 0x20 || byte == 0x7f)).then_some(decoded)
}

/// The text with `%41` resolved to `A`; `None` when an escape is broken or the result is not UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A request's path in the form that patterns are compared with, which loses nothing of how it was written: percent escapes are
/// resolved except for `%2F`, which separates no parts, and `%25`, without which `%2F` could be both.
#[derive(Debug)]
pub struct MatchPath<'r> {
    written: &'r str,
    text: String,
    /// The offset in `written` of each byte of `text`, and of its end.
    offsets: Vec<usize>,
}

impl<'r> MatchPath<'r> {
    /// The form of this text; `None` when an escape is broken or the result is not UTF-8.
    pub fn new(written: &'r str) -> Option<Self> {
        let (mut text, mut offsets) = (Vec::with_capacity(written.len()), Vec::with_capacity(written.len() + 1));
        let mut at = 0;
        while let Some(byte) = written.as_bytes().get(at) {
            let start = at;
            at += 1;
            if *byte == b'%' {
                at += 2;
                let digits = written.get(start + 1..at).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
                match u8::from_str_radix(digits, 16).ok()? {
                    b'/' => text.extend(b"%2F"),
                    b'%' => text.extend(b"%25"),
                    byte => text.push(byte),
                }
            } else {
                text.push(*byte);
            }
            offsets.resize(text.len(), start);
        }
        offsets.push(written.len());
        Some(Self { written, text: String::from_utf8(text).ok()?, offsets })
    }

    /// The form itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A part of it as it was written. What lies beyond the end was not written.
    pub fn written(&self, range: &Range<usize>) -> &'r str {
        let offset = |at: usize| self.offsets.get(at).copied().unwrap_or(self.written.len());
        self.written.get(offset(range.start)..offset(range.end)).unwrap_or_default()
    }
}

/// Returns true if a file of this path, relative to the site's root, may be served: no part of it starts with a dot, except for
/// `.well-known`.
pub fn is_visible(path: &str) -> bool {
    path.split('/').enumerate().all(|(depth, part)| !part.starts_with('.') || (depth == 0 && part == ".well-known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_once_and_broken_ones_refused() {
        assert_eq!(decode("/a%20b/%C3%BC").as_deref(), Some("a b/ü"));
        assert_eq!(decode("/%2541").as_deref(), Some("%41"));
        for broken in ["", "x", "/%", "/%4", "/%zz", "/%00", "/%ff", "/a%0d%0ab"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_patterns_are_compared_with_can_be_given_back_as_it_was_written() {
        let path = MatchPath::new("/%40s%2Fn/%C3%BC%2541x").unwrap();
        assert_eq!(path.as_str(), "/@s%2Fn/ü%2541x");
        let part = |text: &str| {
            let start = path.as_str().find(text).unwrap();
            path.written(&(start..start + text.len()))
        };
        assert_eq!((part("@s%2Fn"), part("ü"), part("%2541x")), ("%40s%2Fn", "%C3%BC", "%2541x"));
        assert_eq!(path.written(&(path.as_str().len()..99)), "");
        for broken in ["/%", "/%4", "/%zz", "/%+1", "/%ff"] {
            assert!(MatchPath::new(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn dot_files_are_hidden_but_for_well_known() {
        assert!(is_visible(".well-known/security.txt") && is_visible("a/b.c"));
        assert!(!is_visible(".env") && !is_visible("a/.git/config") && !is_visible("a/.well-known/x"));
    }
}
