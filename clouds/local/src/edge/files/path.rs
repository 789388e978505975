//! Request paths.

use std::borrow::Cow;

/// The path with its percent escapes resolved, without its leading slash; `None` when it is no path a file can have. Nothing found
/// here is ever joined to a directory: it is only looked up among the names of the index.
pub(crate) fn decode(path: &str) -> Option<Cow<'_, str>> {
    let path = path.strip_prefix('/')?;
    let decoded = if path.as_bytes().contains(&b'%') { Cow::Owned(percent_decode(path)?) } else { Cow::Borrowed(path) };
    (!decoded.bytes().any(|byte| byte < 0x20 || byte == 0x7f)).then_some(decoded)
}

/// The text with `%41` resolved to `A`; `None` when an escape is broken or the result is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
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

/// Returns true if a file of this path, relative to the site's root, may be served: no part of it starts with a dot, except for
/// `.well-known`.
pub(crate) fn is_visible(path: &str) -> bool {
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
    fn dot_files_are_hidden_but_for_well_known() {
        assert!(is_visible(".well-known/security.txt") && is_visible("a/b.c"));
        assert!(!is_visible(".env") && !is_visible("a/.git/config") && !is_visible("a/.well-known/x"));
    }
}
