//! Load by `wrk`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process::run;

/// Concurrent connections, all kept alive.
pub const CONNECTIONS: u32 = 32;
const SECONDS: u32 = 5;
const ROUNDS: usize = 3;

/// Target that is requested repeatedly.
pub struct Target<'a> {
    /// The address.
    pub url: &'a str,
    /// The `Host` header, where it is not the address's.
    pub host: Option<&'a str>,
    /// A Lua script that makes the request, where it is no plain GET.
    pub script: Option<&'a Path>,
}

/// Clients of a crowd, how long each waits between an answer and its next question on average, and for how long they ask.
const CROWD: u32 = 1000;
const CROWD_PAUSE_MS: u32 = 1000;
const CROWD_SECONDS: u32 = 10;

impl<'a> Target<'a> {
    /// A plain GET of an address.
    pub fn get(url: &'a str) -> Self {
        Self { url, host: None, script: None }
    }
}

impl Target<'_> {
    /// The 95th percentile of the time until an answer, in seconds, for a crowd of clients that pause in between.
    fn crowd_p95(&self) -> Result<f64> {
        let directory = tempfile::tempdir()?;
        let script = directory.path().join("crowd.lua");
        let request = self.script.map(std::fs::read_to_string).transpose()?.unwrap_or_default();
        let pauses = format!(
            "{request}\nfunction delay() return math.random(0, {}) end\n\
             function done(summary, latency, requests) print('p95 ' .. latency:percentile(95)) end\n",
            2 * CROWD_PAUSE_MS
        );
        std::fs::write(&script, pauses)?;
        let mut command = Command::new("wrk");
        command.arg("--threads=1").arg(format!("--connections={CROWD}")).arg(format!("--duration={CROWD_SECONDS}s"));
        let printed = run(command.arg("--script").arg(&script).arg(self.url))?;
        ensure!(!printed.contains("Non-2xx") && !printed.contains("Socket errors"), "{}: {printed}", self.url);
        let microseconds = printed.lines().find_map(|line| line.strip_prefix("p95 ")).context("what wrk printed")?;
        Ok(microseconds.trim().parse::<f64>()? / 1e6)
    }

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

/// The best 95th percentiles of a crowd, in seconds, in turns.
pub fn compare_p95(ours: &Target<'_>, baseline: &Target<'_>) -> Result<(f64, f64)> {
    let (mut our_best, mut their_best) = (f64::MAX, f64::MAX);
    for _ in 0..2 {
        our_best = our_best.min(ours.crowd_p95()?);
        their_best = their_best.min(baseline.crowd_p95()?);
    }
    Ok((our_best, their_best))
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
