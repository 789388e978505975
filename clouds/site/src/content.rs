//! Properties that follow from a file's name: its content type, its compressibility, and permanent caching.

/// The value of `Content-Type` for a file of this path.
pub fn content_type(path: &str) -> String {
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

/// Returns true if the content of files of this type is compressed already.
pub fn is_compressed(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or(content_type);
    let (kind, format) = essence.split_once('/').unwrap_or((essence, ""));
    match kind {
        "image" => !matches!(format, "svg+xml" | "bmp" | "x-icon" | "vnd.microsoft.icon" | "tiff"),
        "audio" => !matches!(format, "wav" | "x-wav" | "midi"),
        "video" => true,
        "font" => matches!(format, "woff" | "woff2"),
        "application" => {
            matches!(
                format,
                "zip" | "gzip" | "x-gzip" | "zstd" | "x-7z-compressed" | "x-bzip2" | "x-bzip" | "x-xz" | "x-rar-compressed"
            ) || matches!(format, "pdf" | "epub+zip" | "java-archive" | "font-woff" | "vnd.android.package-archive")
                || format.starts_with("vnd.openxmlformats-officedocument")
        }
        _ => false,
    }
}

/// Directories in which nothing lies but what a bundler made: of Next.js, Astro, `SvelteKit`, Nuxt, Expo and Create React App.
const BUNDLES: &[&[&str]] = &[
    &["_next", "static"],
    &["_astro"],
    &["_app", "immutable"],
    &["_nuxt"],
    &["_expo", "static"],
    &["static", "js"],
    &["static", "css"],
    &["static", "media"],
];

/// Directory of the bundles of Vite, Docusaurus and others, in which a project's own images may lie too.
const ASSETS: &str = "assets";

/// Extensions of what bundlers make in any case, and of which projects bring little that is named as a bundler would.
const BUNDLED: &[&str] = &["js", "mjs", "css", "map", "wasm", "woff", "woff2", "ttf", "otf", "eot"];

/// Returns true if a bundler gave the file a name that changes whenever its content does: below a directory of bundles, with a hash.
/// A file that is taken for such a one in error is cached for a year, one that is not taken for it is merely asked for again.
pub fn is_immutable(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let Some((name, directories)) = parts.split_last() else { return false };
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let below = |bundles: &[&str]| directories.windows(bundles.len()).position(|window| window == bundles);
    if matches!(extension, "html" | "htm" | "pdf") {
        return false;
    }
    if let Some((at, bundles)) = BUNDLES.iter().find_map(|bundles| below(bundles).map(|at| (at, bundles))) {
        // Next.js names a directory by the build, others name each file.
        return directories[at + bundles.len()..].iter().any(|directory| is_hash(directory)) || has_hash(stem);
    }
    below(&[ASSETS]).is_some() && BUNDLED.contains(&extension) && has_hash(stem)
}

/// Returns true if the name of a file, without its extension, has a hash in it: between dots, or after a hyphen.
fn has_hash(stem: &str) -> bool {
    stem.split('.').any(|part| {
        let after_hyphen = part.rsplit_once('-').map(|(_, hash)| hash);
        [Some(part), after_hyphen, eight_after_hyphen(part)].into_iter().flatten().any(is_hash)
    })
}

/// The last eight characters after a hyphen: Vite's hashes are base64url, so a hyphen may stand in them too.
fn eight_after_hyphen(part: &str) -> Option<&str> {
    let at = part.len().checked_sub(8)?;
    let hash = part.get(at..)?;
    part.get(..at)?.ends_with('-').then_some(hash)
}

/// Returns true for eight or more hexadecimal digits, or characters of base64url, that no word or number would have in this mixture.
fn is_hash(text: &str) -> bool {
    let count = |test: fn(&u8) -> bool| text.bytes().filter(test).count();
    let (digits, lower, upper) = (count(u8::is_ascii_digit), count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    if text.len() < 8 || digits == 0 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return false;
    }
    let is_hex = lower > 0 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    // `Berlin2024` and `DarkTheme2` are made of long runs of one kind of character, hashes of short ones.
    let kind = |b: u8| (b.is_ascii_digit(), b.is_ascii_lowercase(), b.is_ascii_uppercase());
    let changes = text.as_bytes().windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    is_hex || (lower > 0 && upper > 0 && changes * 2 >= text.len())
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
    fn what_is_compressed_already_is_known_by_its_type() {
        for path in ["a.png", "a.jpg", "a.webp", "a.avif", "a.mp4", "a.mp3", "a.woff2", "a.zip", "a.gz", "a.pdf", "a.docx"] {
            assert!(is_compressed(&content_type(path)), "{path}");
        }
        for path in ["a.html", "a.js", "a.svg", "a.ico", "a.wav", "a.ttf", "a.wasm", "a.data", "LICENSE"] {
            assert!(!is_compressed(&content_type(path)), "{path}");
        }
    }

    #[test]
    fn only_names_that_a_bundler_made_are_cached_for_ever() {
        for path in [
            "assets/index-B3k2a9Zq.js",
            "assets/a-B3-_a9Zq.css",
            "base/assets/index-B3k2a9Zq.js.map",
            "build/assets/root-DTFK9x_a.js",
            "assets/js/main.8f3a2b1c.js",
            "assets/inter-4f1b2c3d.woff2",
            "static/js/main.8f3a2b1c.chunk.js",
            "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg",
            "x/_astro/page.B3k2a9Zq.css",
            "_astro/photo.C1t2k9Xz_Z1aBc2D.webp",
            "_next/static/chunks/main-0123456789abcdef.js",
            "_next/static/vK3x9_QpLm2aBcD4eFgH1/_buildManifest.js",
            "_app/immutable/entry/start.Dk3x9QpL.js",
            "_nuxt/entry.B3k2a9Zq.js",
        ] {
            assert!(is_immutable(path), "{path}");
        }
        for path in [
            "index.html",
            "og-1200x630.png",
            "cv-january2025.pdf",
            "main.v2release.js",
            "font-awesome5.css",
            "main.8f3a2b1c.js",
            "index-B3k2a9Zq.js",
            "style-0123abcd.min.css",
            "images/photo-8f3a2b1c.jpg",
            "report-20240101.pdf",
            "assets/logo.png",
            "assets/og-1200x630.png",
            "assets/photo-8f3a2b1c.jpg",
            "assets/Photo-Berlin2024.jpg",
            "assets/cv-B3k2a9Zq.pdf",
            "assets/theme-Berlin2024.css",
            "assets/theme-DarkTheme2.css",
            "assets/my-MyButton.js",
            "assets/index-CXaBqKdE.js",
            "assets/main.20240101.js",
            "assets/font-awesome5.css",
            "assets/main.v2release.js",
            "assets/a-0123abcd.html",
            "assets/noextension-0123abcd",
            "_next/static/chunks/main.js",
            "_next/static/cv-8f3a2b1c.pdf",
            "_app/version.json",
            "_nuxt/builds/latest.json",
            "_astro",
            "x.y",
            "",
        ] {
            assert!(!is_immutable(path), "{path}");
        }
    }
}
