//! Security headers that restrict browsers. A route that needs something else sets its own header (docs/security.md).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use crate::public_url::PublicUrl;

/// Content security policy of responses that are no pages, in case a browser takes them for one.
const NOTHING: &str = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Nonce of the styles and scripts that a page includes, so that a browser accepts no others (CSP Level 3, 7.2). Each response
/// has its own, so that nobody who puts text into the page knows it.
pub(crate) struct Nonce(String);

impl Nonce {
    pub fn new() -> Self {
        Self(STANDARD.encode(rand::random::<[u8; 16]>()))
    }

    /// Returns the value of the attribute `nonce`.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the source expression for a policy.
    pub fn source(&self) -> String {
        format!("'nonce-{}'", self.0)
    }
}

/// A page that may do what these directives allow, and nothing else.
pub(crate) fn with_policy(directives: &str, page: impl IntoResponse) -> Response {
    let mut response = page.into_response();
    let policy = format!("default-src 'none'; {directives}; base-uri 'none'; frame-ancestors 'none'");
    // Without it the answer gets the policy that allows nothing.
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The headers that each answer has unless its route set them itself.
#[derive(Clone)]
pub(crate) struct SecurityHeaders(Arc<[(HeaderName, HeaderValue)]>);

impl SecurityHeaders {
    /// Those of an installation that people reach here.
    pub fn new(public: &PublicUrl) -> Self {
        let fixed = [
            (CONTENT_SECURITY_POLICY, NOTHING),
            (REFERRER_POLICY, "no-referrer"),
            (X_FRAME_OPTIONS, "DENY"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // Tokens and what teams have: nothing of it belongs into a cache.
            (CACHE_CONTROL, "no-store"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ];
        let mut headers: Vec<_> = fixed.map(|(name, value)| (name, HeaderValue::from_static(value))).into();
        if public.is_secure() {
            // Not for subdomains: they are other people's deployments, which may be served without TLS.
            headers.push((STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")));
        }
        Self(headers.into())
    }
}

/// Sets the headers.
pub(crate) async fn secure(State(headers): State<SecurityHeaders>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in &*headers.0 {
        response.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    response
}
