//! Origin of a request: client address and program.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use domain::access::Origin;
use http::header::{FORWARDED, USER_AGENT};
use http::{Extensions, HeaderMap};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Name with which the command line identifies itself.
const CLI: &str = "mikrocloud/";

/// The address a request came from. A proxy on this machine is believed what it added to `X-Forwarded-For`; what others say there is not.
pub(crate) fn address(extensions: &Extensions, headers: &HeaderMap) -> IpAddr {
    let peer = peer(extensions);
    let last = headers.get_all(FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok()?.rsplit(',').next());
    match last.and_then(|last| last.trim().parse().ok()) {
        Some(forwarded) if peer.is_loopback() => forwarded,
        _ => peer,
    }
}

/// Returns the origin of a request, for later reference.
pub(crate) fn origin(extensions: &Extensions, headers: &HeaderMap) -> Origin {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Origin::new(address(extensions, headers), text("x-request-id"), text(USER_AGENT.as_str()))
}

/// Returns true if a request was made on this machine. Behind a proxy every peer is local, and a header tells.
pub(crate) fn is_local(extensions: &Extensions, headers: &HeaderMap) -> bool {
    peer(extensions).is_loopback() && !headers.contains_key(FORWARDED_FOR) && !headers.contains_key(FORWARDED)
}

/// Returns true if a request was made by the command line on this machine.
pub(crate) fn is_local_cli(extensions: &Extensions, headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(CLI.as_bytes())) && is_local(extensions, headers)
}

/// The other end of the connection; an address that is nobody's when it is not known.
fn peer(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn from(peer: &str, headers: &[(&'static str, &'static str)]) -> (Extensions, HeaderMap) {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4000)));
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
        (extensions, headers)
    }

    #[test]
    fn only_a_proxy_on_this_machine_is_believed_and_only_what_it_added() {
        for (peer, headers, expected) in [
            ("203.0.113.1", &[][..], "203.0.113.1"),
            ("203.0.113.1", &[(FORWARDED_FOR, "198.51.100.7")], "203.0.113.1"),
            ("127.0.0.1", &[(FORWARDED_FOR, "198.51.100.7")], "198.51.100.7"),
            ("::ffff:127.0.0.1", &[(FORWARDED_FOR, "10.0.0.1, 198.51.100.7")], "198.51.100.7"),
            ("127.0.0.1", &[(FORWARDED_FOR, "nonsense")], "127.0.0.1"),
        ] {
            let (extensions, headers) = from(peer, headers);
            assert_eq!(address(&extensions, &headers).to_string(), expected, "{peer} {headers:?}");
        }
    }

    #[test]
    fn the_command_line_is_local_only_on_this_machine_and_without_a_proxy() {
        let agent = ("user-agent", "mikrocloud/0.1.0");
        for (peer, headers, expected) in [
            ("127.0.0.1", &[agent][..], true),
            ("::1", &[agent], true),
            ("127.0.0.1", &[("user-agent", "curl/8")], false),
            ("127.0.0.1", &[agent, (FORWARDED_FOR, "127.0.0.1")], false),
            ("127.0.0.1", &[agent, ("forwarded", "for=127.0.0.1")], false),
            ("203.0.113.1", &[agent], false),
        ] {
            let (extensions, headers) = from(peer, headers);
            assert_eq!(is_local_cli(&extensions, &headers), expected, "{peer} {headers:?}");
        }
    }
}
