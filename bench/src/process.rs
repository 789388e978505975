//! Child processes that end with the benchmark.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A server that is asked to end when dropped, and killed when it does not.
pub struct Running(Child);

impl Running {
    /// Starts a server and waits for its line `ready URL`.
    pub fn until_ready(command: &mut Command) -> Result<(Self, String)> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("the server does not start")?;
        let output = child.stdout.take().context("the server's output")?;
        let running = Self(child);
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next().transpose()? {
            if let Some(url) = line.strip_prefix("ready ") {
                let url = url.to_owned();
                // A full pipe would stop the server.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok((running, url));
            }
        }
        bail!("the server ended before it was ready")
    }

    /// Takes charge of a child that was started otherwise.
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    fn end(&mut self) {
        let id = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let asked = id.is_some_and(|id| kill_process(id, Signal::TERM).is_ok());
        let deadline = Instant::now() + Duration::from_secs(30);
        while asked && Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a program to its end and returns what it printed; fails when it does.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} does not start"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    bail!("{command:?} failed ({}): {text}{}", output.status, String::from_utf8_lossy(&output.stderr))
}
