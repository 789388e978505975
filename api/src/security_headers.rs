//! What browsers are told to refuse. A route that needs something else sets its own header (docs/security.md).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use crate::browser::PublicUrl;
use crate::pages;

/// The headers that each answer has unless its route set them itself.
#[derive(Clone)]
pub(crate) struct SecurityHeaders(Arc<[(HeaderName, HeaderValue)]>);

impl SecurityHeaders {
    /// Those of an installation that people reach here.
    pub fn new(public: &PublicUrl) -> Self {
        // The one style sheet of our pages is known by its digest; scripts have none.
        let style = STANDARD.encode(Sha256::digest(pages::STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        let fixed = [
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
        headers.extend(HeaderValue::try_from(policy).map(|policy| (CONTENT_SECURITY_POLICY, policy)));
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
