//! Load by `wrk`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::run;

/// Concurrent connections, all kept alive.
pub const CONNECTIONS: u32 = 32;
const SECONDS: u32 = 5;
const ROUNDS: usize = 3;

/// What is asked for, again and again.
pub struct Target<'a> {
    /// The address.
    pub url: &'a str,
    /// The `Host` header, where it is not the address's.
    pub host: Option<&'a str>,
    /// A Lua script that makes the request, where it is no plain GET.
    pub script: Option<&'a Path>,
}

impl Target<'_> {
    /// Requests answered per second. Anything but success is an error.
    fn requests_per_second(&self) -> Result<f64> {
        let mut command = Command::new("wrk");
        command.arg("--threads=1").arg(format!("--connections={CONNECTIONS}")).arg(format!("--duration={SECONDS}s"));
        if let Some(host) = self.host {
            command.arg("--header").arg(format!("Host: {host}"));
        }
        if let Some(script) = self.script {
            command.arg("--script").arg(script);
        }
        let printed = run(command.arg(self.url)).context("`wrk` makes the load; on Debian: apt-get install wrk")?;
        ensure!(!printed.contains("Non-2xx") && !printed.contains("Socket errors"), "{}: {printed}", self.url);
        let rate = printed.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:")).context("what wrk printed")?;
        Ok(rate.trim().parse()?)
    }
}

/// The best of some rounds of each, in turns, so that whatever else the machine does hits both.
pub fn compare(ours: &Target<'_>, baseline: &Target<'_>) -> Result<(f64, f64)> {
    let (mut our_best, mut their_best) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        our_best = our_best.max(ours.requests_per_second()?);
        their_best = their_best.max(baseline.requests_per_second()?);
    }
    Ok((our_best, their_best))
}
