//! Addresses on which processes listen, from `/proc/<pid>/net/tcp` (`proc_pid_net(5)`).

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The state of a socket that listens (`TCP_LISTEN`).
const LISTEN: &str = "0A";

/// The addresses on which these processes listen for TCP connections, sorted.
pub(super) fn listening(processes: &[i32]) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = processes.iter().flat_map(|id| listening_of(*id)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn listening_of(id: i32) -> Vec<SocketAddr> {
    let own = sockets(id);
    if own.is_empty() {
        return Vec::new();
    }
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{id}/net/{table}")).unwrap_or_default());
    let rows = tables.iter().flat_map(|table| table.lines().filter_map(listener));
    rows.filter(|(_, inode)| own.contains(inode)).map(|(address, _)| address).collect()
}

/// The inodes of a process's sockets.
fn sockets(id: i32) -> HashSet<u64> {
    let entries = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
    let targets = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()).collect()
}

/// The address and inode of a row about a socket that listens.
fn listener(row: &str) -> Option<(SocketAddr, u64)> {
    let fields: Vec<&str> = row.split_ascii_whitespace().collect();
    if *fields.get(3)? != LISTEN {
        return None;
    }
    let (address, port) = fields.get(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((SocketAddr::new(ip(address)?, port), fields.get(9)?.parse().ok()?))
}

/// An address as the kernel writes it: words of four bytes in the machine's order, in hexadecimal.
fn ip(text: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(text.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    if text.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?).into())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn rows_of_listening_sockets_are_read() {
        let row =
            "   0: 0100007F:1068 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0";
        assert_eq!(listener(row), Some(("127.0.0.1:4200".parse().unwrap(), 4711)));
        let row = "   1: 00000000000000000000000001000000:1068 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4712 1 0";
        assert_eq!(listener(row), Some(("[::1]:4200".parse().unwrap(), 4712)));
        let connected = row.replace(" 0A ", " 01 ");
        for other in [connected.as_str(), "  sl  local_address rem_address   st", ""] {
            assert_eq!(listener(other), None, "{other}");
        }
    }

    #[test]
    fn the_addresses_of_a_process_are_its_own() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let this = i32::try_from(std::process::id()).unwrap();
        assert!(listening(&[this]).contains(&address));
        drop(listener);
        assert!(!listening(&[this]).contains(&address));
        assert_eq!(listening(&[i32::MAX]), []);
    }
}
