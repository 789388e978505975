//! Memory of an idle server.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::report::{Goal, Report};
use crate::server::Mikrocloud;

const GOAL_MIB: f64 = 60.0;
const SETTLE: Duration = Duration::from_secs(10);

/// Measures resident memory after the server was left alone for a while.
pub async fn measure(server: &Mikrocloud, report: &mut Report) -> Result<()> {
    tokio::time::sleep(SETTLE).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS of the server")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    let mib = kib / 1024.0;
    report.add(
        "idle memory, 100 projects",
        format!("{mib:.1} MiB"),
        format!("goal {GOAL_MIB} MiB"),
        mib / GOAL_MIB,
        Goal::AtMost(1.0),
    );
    Ok(())
}
