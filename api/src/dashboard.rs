//! The dashboard: files that `web/` is built to, embedded in the binary. A binary that was built without them has none.

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::pages;
use crate::routes::not_found;
use crate::security_headers::with_policy;

/// Files as the build of `web/` writes them: each as it is, and in the encodings that make it smaller.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Files;

/// The page that every address of the dashboard shows; its script looks at the address.
const PAGE: &str = "index.html";

/// Directives for the page: its own files, and nothing that is put into it. Connections to the same origin include its WebSocket.
const POLICY: &str = "script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Encodings of the files, the smallest first: token and suffix.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Prefixes of addresses that are never the dashboard's.
const OTHERS: [&str; 5] = ["/api/", "/auth/", "/graphql", "/webhooks/", "/.well-known/"];

/// Returns true if this binary has a dashboard.
pub(crate) fn is_there() -> bool {
    Files::get(PAGE).is_some()
}

/// A file of the dashboard. Its name has the digest of its content, so that it never changes.
pub(crate) async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    match file(uri.path().trim_start_matches('/'), &headers) {
        Some(mut answer) => {
            let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
            answer.headers_mut().insert(CACHE_CONTROL, forever);
            answer
        }
        None => not_found().await.into_response(),
    }
}

/// The front page: the dashboard's, or without one a page that says what to do.
pub(crate) async fn front(headers: HeaderMap) -> Response {
    match page(&headers) {
        Some(page) => page,
        None => pages::front().into_response(),
    }
}

/// Everything that has no route: a page of the dashboard for browsers, an error for everything else.
pub(crate) async fn other(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let is_page = matches!(method, Method::GET | Method::HEAD)
        && headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes().windows(9).any(|part| part == b"text/html"))
        && !OTHERS.iter().any(|prefix| uri.path().starts_with(prefix));
    match if is_page { page(&headers) } else { None } {
        Some(page) => page,
        None => not_found().await.into_response(),
    }
}

fn page(headers: &HeaderMap) -> Option<Response> {
    let mut page = with_policy(POLICY, file(PAGE, headers)?);
    // Asked for anew each time, so that a new version is seen; unchanged, it is not sent again.
    page.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(page)
}

/// A file in the smallest encoding that the browser reads, or the news that the browser has it.
fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = Files::get(name)?;
    let tag = HeaderValue::try_from(format!("\"{}\"", hex::encode(&plain.metadata.sha256_hash()[..16]))).ok()?;
    if headers.get(IF_NONE_MATCH) == Some(&tag) {
        return Some(
            (StatusCode::NOT_MODIFIED, [(ETAG, tag), (VARY, HeaderValue::from_static("accept-encoding"))]).into_response(),
        );
    }
    let kind = HeaderValue::try_from(plain.metadata.mimetype()).ok()?;
    let (encoding, EmbeddedFile { data, .. }) = encoded(name, headers).map_or((None, plain), |(token, file)| (Some(token), file));
    let mut answer = data.into_owned().into_response();
    let fields = answer.headers_mut();
    fields.insert(CONTENT_TYPE, kind);
    fields.insert(ETAG, tag);
    fields.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        fields.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(answer)
}

fn encoded(name: &str, headers: &HeaderMap) -> Option<(&'static str, EmbeddedFile)> {
    let accepted = headers.get(ACCEPT_ENCODING)?.to_str().ok()?;
    let reads = |token: &str| {
        accepted.split(',').any(|part| {
            let mut parameters = part.split(';').map(str::trim);
            parameters.next() == Some(token) && !parameters.any(|parameter| matches!(parameter, "q=0" | "q=0.0"))
        })
    };
    let mut found = ENCODINGS.iter().filter(|(token, _)| reads(token));
    found.find_map(|(token, suffix)| Some((*token, Files::get(&format!("{name}{suffix}"))?)))
}
