//! An answer of a simulated cloud.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

/// An answer of a simulated cloud.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// An answer with a body of this type.
    pub fn bytes(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self { body: body.into(), ..Self::empty(status) };
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        answer
    }

    /// A JSON document.
    pub fn json(status: StatusCode, body: &Value) -> Self {
        Self::bytes(status, "application/json; charset=utf-8", body.to_string())
    }

    /// A JSON document with status 200.
    pub fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// A short text.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::bytes(status, "text/plain; charset=utf-8", text.into())
    }

    /// An XML document.
    pub fn xml(status: StatusCode, text: impl Into<String>) -> Self {
        Self::bytes(status, "application/xml", text.into())
    }

    /// The same with a header; a value that no header can carry is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// The same with a time after which a repetition makes sense, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with(RETRY_AFTER.as_str(), &seconds.to_string())
    }

    /// The answer as the server sends it.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
