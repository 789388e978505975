//! A private PostgreSQL on a TCP port that a test may stop, start and pause; slower to make than a database in the shared one.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Certificate;

/// A running PostgreSQL server of a test's own. Dropped, it is stopped and removed.
pub struct PostgresServer {
    directory: TempDir,
    programs: PathBuf,
    port: u16,
    is_durable: bool,
}

impl PostgresServer {
    /// Starts one. `None` where PostgreSQL is not installed, which is said on standard error.
    ///
    /// # Panics
    /// When it does not start, and under `CI=true` also when it is not installed.
    pub fn start() -> Option<Self> {
        Self::make(false)
    }

    /// Starts one that keeps what it confirmed through a power cut, as it does by default.
    ///
    /// # Panics
    /// Like [`Self::start`].
    pub fn start_durable() -> Option<Self> {
        Self::make(true)
    }

    fn make(is_durable: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("PostgreSQL is not installed: the tests on it are skipped. On Debian: apt-get install postgresql");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "PostgreSQL is not installed");
            return None;
        };
        let directory = TempDir::with_prefix("mikrocloud-postgres-").unwrap_or_else(failed("make a temporary directory"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = listener.unwrap_or_else(failed("find a free port")).port();
        let server = Self { directory, programs, port, is_durable };
        give_to_server(server.directory.path());
        server.run("initdb", &["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        server.up();
        Some(server)
    }

    /// The address of its database `postgres`, on this port where something stands in between.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops it as a crash would and starts it again.
    ///
    /// # Panics
    /// When it does not start.
    pub fn crash_and_restart(&self) {
        self.run("pg_ctl", &["stop", "--mode", "immediate", "--silent"]);
        self.up();
    }

    /// From now on connections over TCP need TLS and this password of the user `postgres`.
    ///
    /// # Panics
    /// When it cannot be set up.
    pub fn demand_tls_and_password(&self, certificate: &Certificate, password: &str) {
        let data = self.directory.path().join("data");
        for (from, name) in [(certificate.file(), "server.crt"), (certificate.key(), "server.key")] {
            // Written over a file of the server's user, a file stays that user's.
            let to = data.join(name);
            std::fs::copy(data.join("PG_VERSION"), &to).unwrap_or_else(failed("make a file"));
            give_to_server(&to);
            let text = std::fs::read(from).unwrap_or_else(failed("read the certificate"));
            std::fs::write(&to, text).unwrap_or_else(failed("write the certificate"));
        }
        self.sql("ALTER SYSTEM SET ssl = on");
        self.demand("hostssl", password);
    }

    /// From now on connections over TCP need this password of the user `postgres`.
    ///
    /// # Panics
    /// When it cannot be set up.
    pub fn demand_password(&self, password: &str) {
        self.demand("host", password);
    }

    fn demand(&self, connection: &str, password: &str) {
        self.sql(&format!("ALTER USER postgres PASSWORD '{password}'"));
        let rules = format!("local all all trust\n{connection} all all 127.0.0.1/32 scram-sha-256\n");
        std::fs::write(self.directory.path().join("data/pg_hba.conf"), rules).unwrap_or_else(failed("write the rules"));
        self.run("pg_ctl", &["reload", "--silent"]);
    }

    /// Runs a statement over the server's socket, which is trusted whatever else is demanded.
    ///
    /// # Panics
    /// When it fails.
    pub fn sql(&self, statement: &str) {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--quiet", "--username", "postgres", "--command", statement, "--port", &self.port.to_string(), "--host"]);
        let status = psql.arg(self.directory.path()).stdin(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.success()), "psql: {statement}");
    }

    fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=200 {}",
            self.port,
            self.directory.path().display(),
            if self.is_durable { "" } else { "-c fsync=off -c full_page_writes=off" }
        );
        let log = self.directory.path().join("log");
        self.run("pg_ctl", &["start", "--wait", "--silent", "--log", &log.to_string_lossy(), "--options", &options]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        // They refuse to run as root.
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        command.arg("--pgdata").arg(self.directory.path().join("data")).args(arguments);
        let status = command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let status = status.unwrap_or_else(failed("run a program of PostgreSQL"));
        assert!(status.success(), "{} {arguments:?}: {status}", program.display());
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.directory.path().join("data/postmaster.pid").exists() {
            self.run("pg_ctl", &["stop", "--mode", "immediate", "--silent"]);
        }
    }
}

/// Returns the directory of the newest PostgreSQL's server programs.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin"))).filter(|(_, bin)| bin.join("initdb").exists())
        })
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

/// The server runs as a user of its own where the test runs as root.
fn give_to_server(path: &Path) {
    if rustix::process::geteuid().is_root() {
        let owned = Command::new("chown").arg("postgres").arg(path).status();
        assert!(owned.is_ok_and(|status| status.success()), "{} cannot be given to the user postgres", path.display());
    }
}

fn failed<T, E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> T {
    move |error| panic!("could not {what}: {error}")
}
