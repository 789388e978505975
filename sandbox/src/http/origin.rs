//! Host that a request was meant for.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST};

/// Names the original host of a request; set by our transports.
const ORIGINAL_HOST: &str = "x-original-host";

/// Path below which the original host is the first part.
const HOST_PREFIX: &str = "/_host/";

/// Way by which a request reached the sandbox; addresses in answers are written so that the same client reaches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By a transport that keeps the vendor's addresses and changes only where bytes go.
    Header,
    /// By the path prefix `/_host/<host>`.
    Path,
    /// By the `Host` header, with or without `.localhost`.
    Host,
    /// By the address of the sandbox itself.
    Own,
}

/// Host that a request was meant for, and the rest of its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The vendor's host in small letters; `None` for the sandbox itself.
    pub host: Option<String>,
    /// The path as the vendor would see it, with its percent codes.
    pub path: String,
    /// The way it came.
    pub reach: Reach,
    /// The `Host` header as sent.
    pub sent_host: String,
}

impl Origin {
    /// Finds the host: `x-original-host`, then `/_host/<host>`, then `Host` without `.localhost:<port>`, then the scope of an AWS
    /// signature.
    pub fn of(headers: &HeaderMap, authority: Option<&str>, path: &str) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let sent_host = text(HOST.as_str()).or(authority).unwrap_or_default().to_owned();
        let found = |host: &str, path: &str, reach| Self {
            host: Some(host.to_ascii_lowercase()),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            reach,
            sent_host: sent_host.clone(),
        };
        if let Some(host) = text(ORIGINAL_HOST).filter(|host| !host.is_empty()) {
            return found(without_port(host), path, Reach::Header);
        }
        if let Some(rest) = path.strip_prefix(HOST_PREFIX) {
            let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
            return found(host, &rest[host.len()..], Reach::Path);
        }
        if let Some(host) = vendor_host(&sent_host) {
            return found(host, path, Reach::Host);
        }
        if let Some(host) = text(AUTHORIZATION.as_str()).and_then(signed_host) {
            return found(&host, path, Reach::Header);
        }
        Self { host: None, path: path.to_owned(), reach: Reach::Own, sent_host }
    }

    /// The beginning of addresses of this host that the same client reaches, such as `https://run.googleapis.com`.
    pub fn base(&self, host: &str) -> String {
        match self.reach {
            Reach::Header => format!("https://{host}"),
            Reach::Path | Reach::Own => format!("http://{}{HOST_PREFIX}{host}", self.sent_host),
            Reach::Host => match self.sent_host.rsplit_once(".localhost") {
                Some((_, port)) => format!("http://{host}.localhost{port}"),
                None => format!("https://{host}"),
            },
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The vendor's host in a `Host` header; `None` for addresses of the sandbox itself.
fn vendor_host(sent: &str) -> Option<&str> {
    let name = without_port(sent).trim_end_matches('.');
    let name = name.strip_suffix(".localhost").unwrap_or(name);
    let is_own = name.is_empty() || name == "localhost" || name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok();
    (!is_own && name.contains('.')).then_some(name)
}

/// The host that an AWS signature is for: `Credential=<key>/<date>/<region>/<service>/aws4_request`.
fn signed_host(authorization: &str) -> Option<String> {
    let scope = authorization.strip_prefix("AWS4-")?.split_once("Credential=")?.1.split(',').next()?;
    let parts: Vec<&str> = scope.split('/').collect();
    match parts.as_slice() {
        [_, _, region, service, _] => Some(format!("{service}.{region}.amazonaws.com")),
        // Signatures of version 4A name no region.
        [_, _, service, _] => Some(format!("{service}.global.api.aws")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(headers: &[(&'static str, &str)], path: &str) -> (Option<String>, String, Reach) {
        let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        let origin = Origin::of(&headers.collect(), None, path);
        (origin.host, origin.path, origin.reach)
    }

    #[test]
    fn the_original_host_is_found_in_the_order_of_the_readme() {
        let table = [
            (
                vec![("host", "127.0.0.1:1"), ("x-original-host", "Run.googleapis.com:443")],
                "/a",
                "run.googleapis.com",
                "/a",
                Reach::Header,
            ),
            (vec![("host", "127.0.0.1:1")], "/_host/run.googleapis.com/v2/b?c", "run.googleapis.com", "/v2/b?c", Reach::Path),
            (vec![("host", "127.0.0.1:1")], "/_host/run.googleapis.com", "run.googleapis.com", "/", Reach::Path),
            (vec![("host", "x.a.run.app.localhost:1")], "/", "x.a.run.app", "/", Reach::Host),
            (vec![("host", "x.a.run.app")], "/", "x.a.run.app", "/", Reach::Host),
        ];
        for (headers, path, host, rest, reach) in table {
            assert_eq!(origin(&headers, path), (Some(host.to_owned()), rest.to_owned(), reach), "{headers:?} {path}");
        }
    }

    #[test]
    fn a_signature_names_service_and_region() {
        let signature = "AWS4-HMAC-SHA256 Credential=AKID/20261001/eu-west-1/ecs/aws4_request, SignedHeaders=host, Signature=0";
        let (host, ..) = origin(&[("host", "localhost:1"), ("authorization", signature)], "/");
        assert_eq!(host.as_deref(), Some("ecs.eu-west-1.amazonaws.com"));
    }

    #[test]
    fn the_sandbox_itself_has_no_vendor_host() {
        for host in ["127.0.0.1:80", "localhost:8090", "[::1]:80", "machine", ""] {
            assert_eq!(origin(&[("host", host)], "/_sandbox").0, None, "{host}");
        }
    }

    #[test]
    fn addresses_are_written_for_the_way_a_client_came() {
        let base = |headers: &[(&'static str, &str)], path: &str| {
            let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
            Origin::of(&headers.collect(), None, path).base("a.azurecr.io")
        };
        assert_eq!(base(&[("host", "127.0.0.1:9"), ("x-original-host", "x.y")], "/"), "https://a.azurecr.io");
        assert_eq!(base(&[("host", "127.0.0.1:9")], "/v2/"), "http://127.0.0.1:9/_host/a.azurecr.io");
        assert_eq!(base(&[("host", "a.azurecr.io.localhost:9")], "/"), "http://a.azurecr.io.localhost:9");
    }
}
