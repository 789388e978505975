//! A DNS server that says what a test wants: the one that comes with Let's Encrypt's test server, started by a test, stopped with it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Time within which the server has to answer.
const DEADLINE: Duration = Duration::from_secs(20);

/// A running `pebble-challtestsrv` of a test's own. Every name leads to 127.0.0.1 unless it is said otherwise. Dropped, it is killed.
pub struct DnsServer {
    child: Child,
    port: u16,
    management: u16,
}

impl DnsServer {
    /// Starts one. `None` where it is not installed, which is said on standard error.
    ///
    /// # Panics
    /// When it does not start, and under `CI=true` also when it is not installed.
    #[expect(clippy::disallowed_methods, reason = "waits for a condition with a deadline, outside of any runtime")]
    pub fn start() -> Option<Self> {
        let [port, management] = crate::pebble::free_ports();
        // A port may be free for TCP and taken for UDP.
        drop(UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).unwrap_or_else(|error| panic!("port {port}: {error}")));
        let mut command = Command::new("pebble-challtestsrv");
        command.args(["-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
        command.arg("-dns01").arg(format!("127.0.0.1:{port}")).arg("-management").arg(format!("127.0.0.1:{management}"));
        let Ok(child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            eprintln!("Pebble's DNS server is not installed: the tests with it are skipped. On Debian: apt-get install pebble");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "pebble-challtestsrv is not installed");
            return None;
        };
        let server = Self { child, port, management };
        let started = Instant::now();
        while [port, management].iter().any(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_err()) {
            assert!(started.elapsed() < DEADLINE, "pebble-challtestsrv does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    /// Returns the address at which it answers, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Lets a name have one more TXT record.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn set_txt(&self, name: &str, value: &str) {
        self.manage("set-txt", &format!(r#"{{"host": "{name}.", "value": "{value}"}}"#));
    }

    /// Lets a name have no TXT record.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn clear_txt(&self, name: &str) {
        self.manage("clear-txt", &format!(r#"{{"host": "{name}."}}"#));
    }

    /// Lets a name lead to these addresses.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn set_addresses(&self, name: &str, addresses: &[Ipv4Addr]) {
        let addresses: Vec<_> = addresses.iter().map(Ipv4Addr::to_string).collect();
        self.manage("add-a", &format!(r#"{{"host": "{name}.", "addresses": {addresses:?}}}"#));
    }

    /// Lets the server fail whatever is asked about a name.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn fail(&self, name: &str) {
        self.manage("set-servfail", &format!(r#"{{"host": "{name}."}}"#));
    }

    /// Lets the server answer what is asked about a name, after it failed.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn recover(&self, name: &str) {
        self.manage("clear-servfail", &format!(r#"{{"host": "{name}."}}"#));
    }

    fn manage(&self, what: &str, body: &str) {
        let ask = || {
            let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.management))?;
            let length = body.len();
            write!(connection, "POST /{what} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}")?;
            let mut answer = String::new();
            connection.read_to_string(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        let answer = ask().unwrap_or_else(|error| panic!("pebble-challtestsrv cannot be told {what}: {error}"));
        assert!(answer.starts_with("HTTP/1.0 200"), "pebble-challtestsrv did not take {what}: {answer}");
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
