//! A request made ready to be passed on, as often as it takes.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{CONNECTION, COOKIE, EXPECT, HOST, UPGRADE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body::Body;
use hyper::upgrade::OnUpgrade;

use super::body::RequestBody;
use super::headers::{remove_hop_by_hop, upgrade_of};
use crate::edge::body::BoxError;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The address of who made a request, put among its extensions by the server that took it; it is told to workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// A request on its way to a process.
pub(crate) struct Outgoing {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: RequestBody,
    /// The client's side of a connection that is to change its protocol.
    pub upgrade: Option<OnUpgrade>,
    /// Requires a connection of its own.
    pub fresh: bool,
}

impl Outgoing {
    /// Takes a request as it came; `scheme` is the one that the client used.
    pub fn new<B>(mut request: Request<B>, scheme: &str) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let protocol = upgrade_of(request.headers());
        let upgrade = protocol.is_some().then(|| hyper::upgrade::on(&mut request));
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        remove_hop_by_hop(&mut headers);
        // The connection to the client has answered this already.
        headers.remove(EXPECT);
        if let Some(protocol) = protocol {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, protocol);
        }
        join_cookies(&mut headers);
        set_host(&mut headers, &parts.uri);
        let client = parts.extensions.get::<ClientAddress>().map(|address| address.0);
        set_forwarded(&mut headers, client, scheme);
        Self { method: parts.method, uri: parts.uri, headers, body: RequestBody::new(body), upgrade, fresh: false }
    }

    /// The request for the process that listens there.
    pub fn request(&self, authority: &Authority) -> Result<Request<RequestBody>, http::Error> {
        let path = self.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(authority.clone()).path_and_query(path).build()?;
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

/// HTTP/2 may split cookies (RFC 9113, section 8.2.3); HTTP/1.1 servers expect one header.
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let joined = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(value) = HeaderValue::from_bytes(&joined) {
        headers.insert(COOKIE, value);
    }
}

fn set_host(headers: &mut HeaderMap, uri: &Uri) {
    // HTTP/2 names the host in the address.
    if let Some(host) = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok()) {
        headers.entry(HOST).or_insert(host);
    }
}

fn set_forwarded(headers: &mut HeaderMap, client: Option<IpAddr>, scheme: &str) {
    if let Some(client) = client {
        let before = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let chain: Vec<String> = before.map(str::to_owned).chain([client.to_string()]).collect();
        if let Ok(value) = HeaderValue::from_str(&chain.join(", ")) {
            headers.insert(FORWARDED_FOR, value);
        }
    }
    if let Ok(scheme) = HeaderValue::from_str(scheme) {
        headers.insert(FORWARDED_PROTO, scheme);
    }
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert(FORWARDED_HOST, host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(request: http::request::Builder) -> Outgoing {
        Outgoing::new(request.body(http_body_util::Empty::<Bytes>::new()).unwrap(), "https")
    }

    #[test]
    fn a_process_learns_who_asked_and_how() {
        let request = Request::get("/a?b=c").header("host", "shop.localhost:8080").header("x-forwarded-for", "10.0.0.9");
        let request = outgoing(request.extension(ClientAddress([127, 0, 0, 1].into())));
        let sent = request.request(&"127.0.0.1:5000".parse().unwrap()).unwrap();
        assert_eq!(sent.uri(), "http://127.0.0.1:5000/a?b=c");
        for (name, value) in [
            ("host", "shop.localhost:8080"),
            ("x-forwarded-host", "shop.localhost:8080"),
            ("x-forwarded-for", "10.0.0.9, 127.0.0.1"),
            ("x-forwarded-proto", "https"),
        ] {
            assert_eq!(sent.headers()[name], value, "{name}");
        }
    }

    #[test]
    fn requests_over_http_2_become_plain_ones() {
        let request = outgoing(Request::get("https://shop.localhost/x").header("cookie", "a=1").header("cookie", "b=2"));
        assert_eq!(request.headers["host"], "shop.localhost");
        assert_eq!(request.headers["cookie"], "a=1; b=2");
    }
}
