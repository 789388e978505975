//! Answers requests from a site's files.

use std::io::SeekFrom;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bytes::Bytes;
use futures::TryStreamExt as _;
use http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    LOCATION, RANGE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::asset::{Asset, Variant};
use super::negotiate::{Encoding, encoding};
use super::range::{Wanted, wanted};
use super::site::{Answer, Site};
use crate::edge::body::{BoxError, EdgeBody};
use crate::edge::page::Page;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");
const ACCEPT_ENCODING_VALUE: HeaderValue = HeaderValue::from_static("accept-encoding");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");

/// Size of the chunks in which a large file is read, bytes.
const CHUNK: usize = 256 * 1024;

impl Site {
    /// Answers a request. Its body is of no interest.
    pub async fn respond(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response<EdgeBody> {
        if method != Method::GET && method != Method::HEAD {
            let mut response = Page::new(StatusCode::METHOD_NOT_ALLOWED, "files can only be read").response(headers);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let mut response = match self.answer(uri, headers) {
            Answer::File { asset, status } => {
                let mut response = self.file_response(asset, status, headers, method == Method::HEAD).await;
                self.rules.headers.apply(uri.path(), asset.stored, response.headers_mut());
                response
            }
            Answer::Redirect { status, location } => redirect(status, &location, headers),
            Answer::Nothing(status) => nothing(status, headers),
        };
        if method == Method::HEAD {
            *response.body_mut() = EdgeBody::empty();
        }
        response
    }

    async fn file_response(&self, asset: &Asset, status: StatusCode, request: &HeaderMap, head: bool) -> Response<EdgeBody> {
        let (variant, coding) = choose(asset, request);
        let mut response = Response::new(EdgeBody::empty());
        describe(&mut response, asset, variant, coding);
        let whole = status == StatusCode::OK;
        if whole && none_match(request, &variant.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().remove(CONTENT_ENCODING);
            return response;
        }
        let part = if whole { wanted(request, variant.length, &variant.etag) } else { Wanted::Whole };
        let (first, length) = match part {
            Wanted::Whole => {
                *response.status_mut() = status;
                (0, variant.length)
            }
            Wanted::Part { first, last } => {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                set(&mut response, CONTENT_RANGE, &format!("bytes {first}-{last}/{}", variant.length));
                (first, last - first + 1)
            }
            Wanted::Unsatisfiable => return unsatisfiable(variant.length, request),
        };
        let header = if length == variant.length { variant.content_length.clone() } else { HeaderValue::from(length) };
        response.headers_mut().insert(CONTENT_LENGTH, header);
        if head {
            return response;
        }
        match self.body(variant, first, length).await {
            Ok(body) => *response.body_mut() = body,
            Err(error) => {
                tracing::error!(file = %variant.file.display(), %error, "a file of a site cannot be read");
                return Page::new(StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read").response(request);
            }
        }
        response
    }

    async fn body(&self, variant: &Variant, first: u64, length: u64) -> std::io::Result<EdgeBody> {
        if let Some(bytes) = variant.bytes() {
            return slice(bytes, first, length);
        }
        if variant.is_small() {
            let (file, offset, length_of_all) = (variant.file.clone(), variant.offset, variant.length);
            let read = tokio::task::spawn_blocking(move || read_part(&file, offset, length_of_all));
            let bytes = Bytes::from(read.await.map_err(std::io::Error::other)??);
            variant.keep(&bytes, &self.budget);
            return slice(&bytes, first, length);
        }
        let mut file = File::open(&variant.file).await?;
        file.seek(SeekFrom::Start(variant.offset + first)).await?;
        let stream = ReaderStream::with_capacity(file.take(length), CHUNK);
        Ok(EdgeBody::stream(StreamBody::new(stream.map_ok(Frame::data).map_err(BoxError::from))))
    }
}

fn read_part(file: &Path, offset: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
    std::fs::File::open(file)?.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn slice(bytes: &Bytes, first: u64, length: u64) -> std::io::Result<EdgeBody> {
    let outside = || std::io::Error::other("the file is shorter than it was");
    let first = usize::try_from(first).map_err(|_| outside())?;
    let end = usize::try_from(length).ok().and_then(|length| first.checked_add(length)).filter(|end| *end <= bytes.len());
    Ok(EdgeBody::from(bytes.slice(first..end.ok_or_else(outside)?)))
}

/// Parts are always of the plain file: a part of a compressed one would be of no use to most who ask.
fn choose<'a>(asset: &'a Asset, request: &HeaderMap) -> (&'a Variant, Encoding) {
    let Some(copies) = asset.copies().filter(|_| !request.contains_key(RANGE)) else {
        return (&asset.identity, Encoding::Identity);
    };
    match (encoding(request, copies.brotli.is_some(), copies.gzip.is_some()), &copies.brotli, &copies.gzip) {
        (Encoding::Brotli, Some(variant), _) => (variant, Encoding::Brotli),
        (Encoding::Gzip, _, Some(variant)) => (variant, Encoding::Gzip),
        _ => (&asset.identity, Encoding::Identity),
    }
}

fn describe(response: &mut Response<EdgeBody>, asset: &Asset, variant: &Variant, coding: Encoding) {
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(CONTENT_TYPE, asset.content_type.clone());
    headers.insert(ETAG, variant.etag.clone());
    headers.insert(CACHE_CONTROL, if asset.immutable { IMMUTABLE } else { REVALIDATE });
    headers.insert(ACCEPT_RANGES, BYTES);
    if asset.is_negotiated() {
        headers.insert(VARY, ACCEPT_ENCODING_VALUE);
    }
    if coding != Encoding::Identity {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
}

/// Returns true if the client has this already (RFC 9110, section 13.1.2: the weak comparison).
fn none_match(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(etag) = etag.to_str() else { return false };
    let tags = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tags.map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn redirect(status: StatusCode, location: &str, request: &HeaderMap) -> Response<EdgeBody> {
    let Ok(value) = HeaderValue::from_str(location) else { return nothing(StatusCode::NOT_FOUND, request) };
    let mut response = Response::new(EdgeBody::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(LOCATION, value);
    response.headers_mut().insert(CACHE_CONTROL, REVALIDATE);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    response
}

fn nothing(status: StatusCode, request: &HeaderMap) -> Response<EdgeBody> {
    let message = match status {
        StatusCode::BAD_REQUEST => "the address holds characters that no file's name has",
        StatusCode::GONE => "this page is gone",
        _ => "this site has no such page",
    };
    Page::new(status, message).response(request)
}

fn unsatisfiable(length: u64, request: &HeaderMap) -> Response<EdgeBody> {
    let message = format!("the file has {length} bytes");
    let mut response = Page::new(StatusCode::RANGE_NOT_SATISFIABLE, message).response(request);
    set(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
    response
}

fn set(response: &mut Response<EdgeBody>, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
