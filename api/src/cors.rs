//! Cross-origin access: the other sites whose scripts may use the API. They present a bearer token like all clients; cookies are
//! not sent along.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LINK, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::Url;

/// Time for which a browser caches a preflight response.
const REMEMBERED: Duration = Duration::from_hours(1);

/// Allows these sites; none when there are none.
pub(crate) fn layer(origins: &[Url]) -> CorsLayer {
    let origins = origins.iter().filter_map(|url| HeaderValue::try_from(url.origin().ascii_serialization()).ok());
    let own = |names: &[&'static str]| names.iter().map(|name| HeaderName::from_static(name)).collect::<Vec<_>>();
    let mut sent = own(&["x-mikrocloud-team", "idempotency-key", "last-event-id", "traceparent"]);
    sent.extend([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH]);
    let mut told = own(&["x-request-id", "ratelimit", "ratelimit-policy", "idempotency-replayed", "deprecation", "sunset"]);
    told.extend([ETAG, LINK, LOCATION, RETRY_AFTER]);
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(sent)
        .expose_headers(told)
        .max_age(REMEMBERED)
}
