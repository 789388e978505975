//! A private authority that issues certificates by itself (ACME): Let's Encrypt's test server, started by a test, stopped with it.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Certificate;

/// Time within which the server has to listen.
const DEADLINE: Duration = Duration::from_secs(20);

/// A running `pebble` of a test's own. Dropped, it is killed.
pub struct Pebble {
    directory: TempDir,
    server: Certificate,
    child: Option<Child>,
    dns: Option<SocketAddr>,
    port: u16,
    management: u16,
    /// The port on which it looks whether names lead to who asks for a certificate.
    pub looks_at: u16,
}

impl Pebble {
    /// Starts one that looks at a port that is free. `None` where Pebble is not installed, which is said on standard error.
    ///
    /// # Panics
    /// When it does not start, and under `CI=true` also when it is not installed.
    pub fn start() -> Option<Self> {
        Self::launch(None)
    }

    /// Starts one as [`Pebble::start`] does, which asks a DNS server where names lead.
    ///
    /// # Panics
    /// As [`Pebble::start`].
    pub fn start_asking(dns: SocketAddr) -> Option<Self> {
        Self::launch(Some(dns))
    }

    fn launch(dns: Option<SocketAddr>) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("could not make a temporary directory: {error}"));
        let server = Certificate::new(directory.path());
        let [port, management, looks_at] = free_ports();
        let mut pebble = Self { directory, server, child: None, dns, port, management, looks_at };
        if !pebble.spawn() {
            eprintln!("Pebble is not installed: the tests with it are skipped. On Debian: apt-get install pebble");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "pebble is not installed");
            return None;
        }
        Some(pebble)
    }

    /// The address of its directory.
    pub fn directory(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.port)
    }

    /// Returns the address of the root of the certificates that it issues, which is another one after each start.
    pub fn root(&self) -> String {
        format!("https://127.0.0.1:{}/roots/0", self.management)
    }

    /// Returns the certificate that identifies its own server.
    pub fn server(&self) -> &Certificate {
        &self.server
    }

    /// Kills it. What it knew is lost.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().and_then(|()| child.wait()).unwrap_or_else(|error| panic!("could not kill pebble: {error}"));
        }
    }

    /// Starts it again on the same ports, without what it knew.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.spawn(), "pebble is gone");
    }

    /// Starts the server, and returns true if the program exists.
    #[expect(clippy::disallowed_methods, reason = "waits for a condition with a deadline, outside of any runtime")]
    fn spawn(&mut self) -> bool {
        let config = self.directory.path().join("pebble.json");
        std::fs::write(&config, self.config()).unwrap_or_else(|error| panic!("{}: {error}", config.display()));
        let log = File::create(self.directory.path().join("log")).unwrap_or_else(|error| panic!("no log: {error}"));
        let errors = log.try_clone().unwrap_or_else(|error| panic!("no log: {error}"));
        let mut command = Command::new("pebble");
        // It does not wait before it looks, asks again for no good reason of its own, and looks at each name for each order.
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0").env("PEBBLE_AUTHZREUSE", "0");
        command.args(self.dns.map(|dns| format!("-dnsserver={dns}")));
        let Ok(child) = command.arg("-config").arg(config).stdin(Stdio::null()).stdout(log).stderr(errors).spawn() else {
            return false;
        };
        self.child = Some(child);
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(started.elapsed() < DEADLINE, "pebble does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    fn config(&self) -> String {
        let (file, key) = (self.server.file(), self.server.key());
        format!(
            r#"{{"pebble": {{"listenAddress": "127.0.0.1:{}", "managementListenAddress": "127.0.0.1:{}",
                "certificate": "{}", "privateKey": "{}", "httpPort": 1, "tlsPort": {}, "ocspResponderURL": "",
                "externalAccountBindingRequired": false, "certificateValidityPeriod": 7776000}}}}"#,
            self.port,
            self.management,
            file.display(),
            key.display(),
            self.looks_at
        )
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports that are free, each another one.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    listeners.map(|listener| {
        let address = listener.and_then(|listener| listener.local_addr());
        address.unwrap_or_else(|error| panic!("no port is free: {error}")).port()
    })
}
