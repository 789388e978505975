//! One process of an installation.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::harness::{BINARY, Cluster, PATIENCE};
use crate::processes;

/// One process: api, worker or edge. Dropped, it is killed.
pub struct Role {
    pub kind: &'static str,
    /// Such as `worker2`.
    pub name: String,
    /// The binary that it runs: this version or another.
    pub binary: PathBuf,
    /// Error of its clock, such as `+5m`.
    pub clock: Option<&'static str>,
    pub arguments: Vec<String>,
    /// The port it listens on, the same after every restart.
    pub port: u16,
    log: PathBuf,
    child: Option<Child>,
}

impl Role {
    pub fn new(cluster: &Cluster, kind: &'static str, number: usize) -> Self {
        let (name, port) = (format!("{kind}{number}"), free_port());
        let directory = cluster.directory.path().join(&name);
        std::fs::create_dir_all(&directory).unwrap();
        let listen = if kind == "worker" { "--health-listen" } else { "--listen" };
        let address = format!("127.0.0.1:{port}");
        let arguments = [kind, "--data", directory.to_str().unwrap(), listen, &address].map(str::to_owned).to_vec();
        Self {
            kind,
            binary: BINARY.into(),
            clock: None,
            log: cluster.directory.path().join(format!("{name}.log")),
            name,
            arguments,
            port,
            child: None,
        }
    }

    /// Starts it and waits until it is ready or has ended.
    pub async fn start(&mut self, mut command: Command) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.child = Some(child);
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.starts_with("ready ") {
                    return;
                }
            }
        };
        timeout(PATIENCE, ready).await.unwrap_or_else(|_| panic!("{} does not become ready: {}", self.name, self.log_tail()));
    }

    /// Returns true if it does not run.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// Kills it like a power cut would. What it had started lives on.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// Asks it to stop, and waits for it.
    pub async fn terminate(&mut self) {
        self.signal(Signal::TERM);
        if let Some(mut child) = self.child.take() {
            timeout(PATIENCE, child.wait())
                .await
                .unwrap_or_else(|_| panic!("{} does not stop: {}", self.name, self.log_tail()))
                .unwrap();
        }
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.as_ref().and_then(Child::id) {
            processes::signal(pid.try_into().unwrap(), signal);
        }
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
