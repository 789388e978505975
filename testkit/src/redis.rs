//! A private Redis on a free port, without persistence: started by a test, stopped with it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Certificate;

/// Time within which the server has to listen.
const DEADLINE: Duration = Duration::from_secs(20);

/// A running `redis-server` of a test's own. Dropped, it is killed.
pub struct Redis {
    directory: TempDir,
    arguments: Vec<String>,
    child: Option<Child>,
    port: u16,
}

impl Redis {
    /// Starts one. `None` where Redis is not installed, which is said on standard error.
    ///
    /// # Panics
    /// When it does not start, and under `CI=true` also when it is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with more arguments, such as `--requirepass` and a password.
    ///
    /// # Panics
    /// Like [`Self::start`].
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("could not make a temporary directory: {error}"));
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut redis = Self { directory, arguments, child: None, port: free_port() };
        if !redis.spawn() {
            eprintln!("Redis is not installed: the tests on it are skipped. On Debian: apt-get install redis-server");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "redis-server is not installed");
            return None;
        }
        Some(redis)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port it listens on, the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A directory for files that belong to it, such as certificates.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills it. What it held is lost.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().and_then(|()| child.wait()).unwrap_or_else(|error| panic!("could not kill redis-server: {error}"));
        }
    }

    /// Starts it again, empty, on the same port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.spawn(), "redis-server is gone");
    }

    /// Runs a command, such as `&["FLUSHALL"]`, and returns what `redis-cli` prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn run(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(command).output();
        let output = output.unwrap_or_else(|error| panic!("could not run redis-cli: {error}"));
        assert!(output.status.success(), "redis-cli {command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Lets it listen with TLS as well, on the port that is returned. Clients show no certificate.
    ///
    /// # Panics
    /// When it cannot.
    pub fn listen_with_tls(&self, certificate: &Certificate) -> u16 {
        let (file, key, port) = (certificate.file(), certificate.key(), free_port());
        for (name, value) in [("tls-cert-file", &file), ("tls-key-file", &key), ("tls-ca-cert-file", &file)] {
            self.run(&["CONFIG", "SET", name, &value.to_string_lossy()]);
        }
        self.run(&["CONFIG", "SET", "tls-auth-clients", "no", "tls-port", &port.to_string()]);
        port
    }

    /// Starts the server, and returns true if the program exists.
    #[expect(clippy::disallowed_methods, reason = "waits for a condition with a deadline, outside of any runtime")]
    fn spawn(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(self.directory.path()).args(&self.arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else { return false };
        self.child = Some(child);
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none() && started.elapsed() < DEADLINE, "redis-server did not start: {ended:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.unwrap_or_else(|error| panic!("no port is free: {error}")).port()
}
