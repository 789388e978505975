//! Addresses that may be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Range of addresses that a request may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything public, and the networks that the operator allows.
    Public,
    /// The networks that the operator allows.
    AllowedOnly,
}

/// The networks that the operator allows besides what is public.
#[derive(Debug, Clone)]
pub struct Allowed(Arc<[IpNet]>);

impl Allowed {
    /// These.
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Returns true if the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if connections to an address are allowed.
    pub fn admits(&self, address: IpAddr, reach: Reach) -> bool {
        let address = within(address);
        self.0.iter().any(|network| network.contains(&address)) || (reach == Reach::Public && is_public(address))
    }
}

/// A network such as `10.0.0.0/8`, or one address.
pub fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network
        .map(|network: IpNet| network.trunc())
        .map_err(|_| format!("`{}` is no network: give one such as 10.0.0.0/8", text.escape_debug()))
}

/// The IPv4 address that an IPv6 address stands for, where it does: mapped (RFC 4291, 2.5.5.2) or translated (RFC 6052, 2.1).
fn within(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(mapped) = v6.to_ipv4_mapped() {
        return mapped.into();
    }
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Ipv4Addr::new(a, b, c, d).into()
        }
        _ => address,
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

/// Networks that are not globally reachable, by the IANA IPv4 Special-Purpose Address Registry, and multicast.
pub(super) const SPECIAL_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 31, 196, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// The one block of IPv6 that is given out for use in the Internet (RFC 4291, 2.4), so that all else - loopback, unique local, link-local,
/// multicast, and what is not given out yet - is not public.
pub(super) const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

/// Special networks within it, by the IANA IPv6 Special-Purpose Address Registry: protocol assignments with Teredo,
/// documentation, and 6to4, which leads to IPv4 addresses.
pub(super) const SPECIAL_V6: [Ipv6Net; 4] = [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|network| network.contains(&address)),
    }
}
