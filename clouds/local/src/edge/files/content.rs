//! Properties that follow from a file's name: its content type, its compressibility, and permanent caching.

/// The value of `Content-Type` for a file of this path.
pub(crate) fn content_type(path: &str) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    // RFC 9239 made the other name obsolete.
    let essence = if mime.essence_str() == "application/javascript" { "text/javascript" } else { mime.essence_str() };
    if path.ends_with("apple-app-site-association") {
        return "application/json".to_owned();
    }
    if is_text(essence) { format!("{essence}; charset=utf-8") } else { essence.to_owned() }
}

fn is_text(essence: &str) -> bool {
    essence.starts_with("text/")
        || essence.ends_with("+xml")
        || essence.ends_with("+json")
        || matches!(essence, "application/json" | "application/xml")
}

/// Returns true if a file of this content type is worth compressing.
pub(crate) fn is_compressible(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or(content_type);
    is_text(essence) || matches!(essence, "application/wasm" | "font/ttf" | "font/otf" | "image/x-icon" | "image/bmp")
}

/// Returns true if the file's name changes whenever its content does, as bundlers name their output.
pub(crate) fn is_immutable(path: &str) -> bool {
    let directories = ["_astro/", "_next/static/", "_app/immutable/"];
    if directories.iter().any(|directory| path.starts_with(directory) || path.contains(&format!("/{directory}"))) {
        return true;
    }
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    if matches!(extension, "html" | "htm") {
        return false;
    }
    let in_assets = directory.rsplit('/').next() == Some("assets");
    stem.split('.').enumerate().any(|(number, part)| {
        let whole = (number > 0).then_some(part);
        let after_hyphen = part.rsplit_once('-').map(|(_, hash)| hash);
        whole.into_iter().chain(after_hyphen).chain(eight_after_hyphen(part)).any(|text| is_hash(text, in_assets))
    })
}

/// The last eight characters after a hyphen: Vite's hashes are base64url, so a hyphen may stand in them too.
fn eight_after_hyphen(part: &str) -> Option<&str> {
    let at = part.len().checked_sub(8)?;
    let hash = part.get(at..)?;
    part.get(..at)?.ends_with('-').then_some(hash)
}

/// A word must not pass for a hash, or its file would be cached for a year under a name that does not change: digits and letters
/// must both be there. Only where nothing but bundles lie may a hash of eight mixed letters do.
fn is_hash(text: &str, in_assets: bool) -> bool {
    let count = |test: fn(&u8) -> bool| text.bytes().filter(test).count();
    let (digits, lower) = (count(u8::is_ascii_digit), count(u8::is_ascii_lowercase));
    let upper = count(u8::is_ascii_uppercase);
    let plain = text.len() >= 8 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let mixed = in_assets && text.len() == 8 && lower > 0 && text.bytes().skip(1).filter(u8::is_ascii_uppercase).count() >= 2;
    plain && ((digits > 0 && lower + upper > 0) || mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_their_charset() {
        let table = [
            ("a.html", "text/html; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.json", "application/json; charset=utf-8"),
            ("a.svg", "image/svg+xml; charset=utf-8"),
            ("a.webmanifest", "application/manifest+json; charset=utf-8"),
            ("a.png", "image/png"),
            ("a.wasm", "application/wasm"),
            ("a.woff2", "font/woff2"),
            ("LICENSE", "application/octet-stream"),
            (".well-known/apple-app-site-association", "application/json"),
        ];
        for (path, expected) in table {
            assert_eq!(content_type(path), expected, "{path}");
        }
    }

    #[test]
    fn only_names_with_a_hash_are_cached_for_ever() {
        for path in [
            "assets/index-B3k2a9Zq.js",
            "assets/index-CXaBqKdE.js",
            "assets/a-B3-_a9Zq.css",
            "main.8f3a2b1c.js",
            "main.8f3a2b1c.chunk.js",
            "x/_astro/page.css",
            "_next/static/chunks/main.js",
            "_app/immutable/start.js",
            "style-0123abcd.min.css",
        ] {
            assert!(is_immutable(path), "{path}");
        }
        for path in [
            "index.html",
            "jquery-migrated.js",
            "my-Component.js",
            "report-20240101.pdf",
            "main.js",
            "assets/logo.png",
            "a-0123abcd.html",
            "assets/my-MyButton.js",
            "noextension-0123abcd",
            "x.y",
            "",
        ] {
            assert!(!is_immutable(path), "{path}");
        }
    }
}
