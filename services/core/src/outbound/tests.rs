//! Tests of reachability: the rules by their registries, and the client against servers on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::HeaderMap;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::address::{Allowed, GLOBAL_V6, Reach, SPECIAL_V4, SPECIAL_V6};
use super::*;

fn nothing_more() -> Allowed {
    Allowed::new(&[])
}

fn admits(text: &str) -> bool {
    nothing_more().admits(text.parse().unwrap(), Reach::Public)
}

#[test]
fn what_is_public_is_reached_and_what_is_not_is_not() {
    for public in ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1"] {
        assert!(admits(public), "{public}");
    }
    for public in ["2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"] {
        assert!(admits(public), "{public}");
    }
    for special in [
        "127.0.0.1",
        "127.255.255.255",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "100::1",
        "4000::1",
    ] {
        assert!(!admits(special), "{special}");
    }
}

#[test]
fn the_operator_allows_networks_and_nothing_beyond_them() {
    let allowed = Allowed::new(&[parse_network("10.1.0.0/16").unwrap(), parse_network("::1").unwrap()]);
    for (address, public, only) in [
        ("10.1.2.3", true, true),
        ("::ffff:10.1.2.3", true, true),
        ("10.2.0.1", false, false),
        ("::1", true, true),
        ("::2", false, false),
        ("1.1.1.1", true, false),
    ] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(
            (allowed.admits(address, Reach::Public), allowed.admits(address, Reach::AllowedOnly)),
            (public, only),
            "{address}"
        );
    }
    for text in ["", "10.0.0.0/33", "localhost", "10.0.0", "10.0.0.0/8 x", "::/129"] {
        assert!(parse_network(text).is_err(), "{text}");
    }
    assert_eq!(parse_network(" 10.9.9.9/8 ").unwrap().to_string(), "10.0.0.0/8");
}

proptest! {
    #[test]
    fn no_address_of_a_special_network_is_reached_in_any_form(network in 0..SPECIAL_V4.len(), bits in any::<u32>()) {
        let network = SPECIAL_V4[network];
        let host = bits & u32::from(network.hostmask());
        let address = Ipv4Addr::from(u32::from(network.network()) | host);
        let [a, b, c, d] = address.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        let forms: [IpAddr; 5] = [
            address.into(),
            address.to_ipv6_mapped().into(),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low).into(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into(),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1).into(),
        ];
        for form in forms {
            prop_assert!(!nothing_more().admits(form, Reach::Public), "{form}");
        }
    }

    #[test]
    fn an_address_that_is_reached_is_public_by_another_reading(bits in any::<u128>(), shift in 0_u32..128) {
        // Shifted, so that small addresses come up.
        let address = Ipv6Addr::from(bits >> shift);
        if nothing_more().admits(address.into(), Reach::Public) {
            let first = address.segments()[0];
            let stands_for_v4 = address.to_ipv4_mapped().is_some() || address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
            prop_assert!((0x2000..0x4000).contains(&first) || stands_for_v4, "{address}");
            prop_assert!(!address.is_loopback() && !address.is_multicast() && !address.is_unspecified());
            prop_assert!(!address.is_unique_local() && !address.is_unicast_link_local());
        }
    }

    #[test]
    fn a_public_ipv4_address_is_none_of_those_the_standard_library_knows_as_special(bits in any::<u32>(), shift in 0_u32..32) {
        let address = Ipv4Addr::from(bits >> shift);
        if nothing_more().admits(address.into(), Reach::Public) {
            prop_assert!(!address.is_loopback() && !address.is_private() && !address.is_link_local() && !address.is_multicast());
            prop_assert!(!address.is_broadcast() && !address.is_documentation() && !address.is_unspecified());
        }
    }

    #[test]
    fn no_text_makes_parsing_panic(text in ".{0,60}") {
        let _ = parse(&text);
        let _ = parse_network(&text);
        prop_assert!(printable(&text).chars().all(|c| !c.is_control()));
    }
}

#[test]
fn a_pause_is_asked_for_in_seconds_or_until_a_date() {
    let at = "2026-11-28T10:00:00Z".parse().unwrap();
    for (text, seconds) in [
        ("7", Some(7)),
        (" 4294967295 ", Some(4_294_967_295)),
        ("Sat, 28 Nov 2026 10:01:30 GMT", Some(90)),
        ("Sat, 28 Nov 2026 09:00:00 GMT", Some(0)),
        ("-1", None),
        ("4294967296", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(retry_after(text, at), seconds.map(chrono::TimeDelta::seconds), "{text:?}");
    }
}

#[test]
fn the_tables_hold_networks_as_the_registries_write_them() {
    assert!(SPECIAL_V4.iter().all(|network| network.addr() == network.network()));
    assert!(SPECIAL_V6.iter().chain([&GLOBAL_V6]).all(|network| network.addr() == network.network()));
}

fn provider() {
    // The first call in the process sets it.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test]
async fn addresses_that_lead_inside_are_refused_however_they_are_written() {
    provider();
    let outbound = Outbound::new(&[]);
    for text in [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://0/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fd00:ec2::254]/",
        "https://10.0.0.1/",
        "https://１２７.0.0.1/",
        "https://127.1/",
    ] {
        assert!(matches!(outbound.check(text).await, Err(OutboundError::Forbidden)), "{text}: {:?}", outbound.check(text).await);
        let url = Url::parse(text).unwrap();
        let posted = outbound.post(&url, HeaderMap::new(), Vec::new()).await;
        assert!(matches!(posted, Err(OutboundError::Forbidden)), "{text}: {posted:?}");
    }
    for text in [
        "http://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https://",
        "x",
        "https://a:b@example.org/",
        "gopher://1.1.1.1/",
    ] {
        let checked = outbound.check(text).await;
        assert!(matches!(checked, Err(OutboundError::Refused(_))), "{text}: {checked:?}");
    }
    assert!(matches!(outbound.check("http://1.1.1.1/").await, Err(OutboundError::Forbidden)), "in the clear");
}

/// A server that answers each connection with these bytes; its port.
async fn answering(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer).await;
        }
    });
    port
}

#[tokio::test]
async fn in_an_allowed_network_http_is_spoken_and_answers_are_bounded_and_not_followed() {
    provider();
    let outbound = Outbound::new(&[parse_network("127.0.0.0/8").unwrap()]);
    let long: &'static [u8] =
        Box::leak([b"HTTP/1.1 503 x\r\nretry-after: 7\r\n\r\nno\x1b[31m\n", vec![b'x'; 100_000].as_slice()].concat().into());
    let port = answering(long).await;
    for host in ["127.0.0.1", "localhost"] {
        let url = outbound.check(&format!("http://{host}:{port}/hook")).await.unwrap();
        let answer = outbound.post(&url, HeaderMap::new(), b"{}".to_vec()).await.unwrap();
        assert_eq!((answer.status, answer.retry_after), (503, Some(TimeDelta::seconds(7))));
        assert!(answer.excerpt.starts_with("no [31m xxx") && answer.excerpt.chars().count() == KEPT_CHARS, "{}", answer.excerpt);
    }
    let port = answering(b"HTTP/1.1 307 x\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n").await;
    let url = outbound.check(&format!("http://127.0.0.1:{port}/")).await.unwrap();
    assert_eq!(outbound.post(&url, HeaderMap::new(), Vec::new()).await.unwrap().status, 307, "nobody goes there");
    assert!(matches!(outbound.check("http://10.0.0.1/").await, Err(OutboundError::Forbidden)), "another network");
}

#[tokio::test]
async fn what_does_not_answer_is_said_without_its_address() {
    provider();
    let outbound = Outbound::new(&[parse_network("127.0.0.0/8").unwrap()]);
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
    let url = Url::parse(&format!("http://127.0.0.1:{port}/secret-path")).unwrap();
    let said = outbound.post(&url, HeaderMap::new(), Vec::new()).await.unwrap_err().to_string();
    assert!(said.contains("cannot be reached") && !said.contains("secret"), "{said}");
}
