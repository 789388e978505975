//! Routes that will go: said in headers (RFC 9745, RFC 8594) and in the OpenAPI document, from one table.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::time::Timestamp;
use http::header::LINK;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// A route that will go.
#[derive(Debug)]
pub(in crate::rest) struct Deprecation {
    /// Its method.
    pub method: Method,
    /// Its path, as the router has it.
    pub path: &'static str,
    /// Time since which new code should not use it.
    pub since: Timestamp,
    /// Removal time: at least half a year later (docs/api.md).
    pub sunset: Timestamp,
    /// The path to use in its place.
    pub successor: &'static str,
}

/// The routes that will go.
pub(in crate::rest) const DEPRECATED: &[Deprecation] = &[];

impl Deprecation {
    fn describe(&self, headers: &mut HeaderMap) {
        let sunset = self.sunset.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let successor = format!("<{}>; rel=\"successor-version\"", self.successor);
        for (name, value) in [
            (HeaderName::from_static("deprecation"), format!("@{}", self.since.timestamp())),
            (HeaderName::from_static("sunset"), sunset),
            (LINK, successor),
        ] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.append(name, value);
            }
        }
    }
}

/// Says of each answer of a route in the table that the route will go.
pub(in crate::rest) async fn announce(State(table): State<&'static [Deprecation]>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let found = table.iter().find(|entry| entry.path == route && entry.method == *request.method());
    let mut response = next.run(request).await;
    if let Some(deprecation) = found {
        deprecation.describe(response.headers_mut());
    }
    response
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    use super::*;

    static TABLE: LazyLock<Vec<Deprecation>> = LazyLock::new(|| {
        vec![Deprecation {
            method: Method::GET,
            path: "/old/{id}",
            since: "2026-11-25T00:00:00Z".parse().unwrap(),
            sunset: "2027-06-01T00:00:00Z".parse().unwrap(),
            successor: "/new",
        }]
    });

    async fn ask(method: Method, path: &str) -> HeaderMap {
        let old = Router::new().route("/old/{id}", get(async || "x").post(async || "x")).route("/new", get(async || "x"));
        let app = old.layer(middleware::from_fn_with_state(TABLE.as_slice(), announce));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        app.oneshot(request).await.unwrap().headers().clone()
    }

    #[tokio::test]
    async fn an_old_route_says_since_when_until_when_and_what_to_use() {
        let headers = ask(Method::GET, "/old/1").await;
        assert_eq!(headers["deprecation"], "@1795564800");
        assert_eq!(headers["sunset"], "Tue, 01 Jun 2027 00:00:00 GMT");
        assert_eq!(headers["link"], "</new>; rel=\"successor-version\"");
        for (method, path) in [(Method::POST, "/old/1"), (Method::GET, "/new")] {
            assert!(!ask(method, path).await.contains_key("deprecation"), "{path}");
        }
    }
}
