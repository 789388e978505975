//! A request to a simulated cloud, read whole.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use serde_json::Value;

use super::{Origin, decode_path, pairs};

/// A request to a simulated cloud, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub method: Method,
    /// The vendor's host.
    pub host: String,
    pub origin: Origin,
    /// The query as sent.
    pub raw_query: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    /// A call to this host.
    pub fn new(method: Method, host: String, origin: Origin, query: &str, headers: HeaderMap, body: Bytes) -> Self {
        Self { method, host, origin, query: pairs(query), raw_query: query.to_owned(), headers, body }
    }

    /// The path as sent, with its percent codes.
    pub fn path(&self) -> &str {
        &self.origin.path
    }

    /// The parts of the path, decoded.
    pub fn segments(&self) -> Vec<String> {
        self.path().trim_start_matches('/').split('/').map(decode_path).collect()
    }

    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The first value of a name in the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON: `None` if it is no JSON, null if there is none.
    pub fn json(&self) -> Option<Value> {
        if self.body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&self.body).ok() }
    }

    /// The body's form fields, or the JSON object's texts, as token endpoints take them.
    pub fn form(&self) -> Vec<(String, String)> {
        if let Some(Value::Object(fields)) = self.json() {
            return fields.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect();
        }
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// The token of a bearer.
    pub fn bearer(&self) -> Option<&str> {
        let value = self.header(AUTHORIZATION.as_str());
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// The address that the vendor would have seen.
    pub fn vendor_url(&self) -> String {
        let query = if self.raw_query.is_empty() { String::new() } else { format!("?{}", self.raw_query) };
        format!("https://{}{}{query}", self.host, self.path())
    }

    /// The beginning of addresses of this host that the caller reaches.
    pub fn base(&self) -> String {
        self.origin.base(&self.host)
    }
}
