//! A program that listens, but not where it is asked for.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use super::launch::LaunchPlan;
use crate::edge::logs::LogPipe;
use crate::process::Members;

/// Interval at which the program's addresses are read. What is seen twice in a row is told.
const INTERVAL: Duration = Duration::from_millis(500);

/// Watches where a program listens until it answers.
pub(super) struct Elsewhere<'a> {
    plan: &'a LaunchPlan,
    port: u16,
    logs: &'a LogPipe,
    members: Members,
    looked_at: Instant,
    seen: Vec<SocketAddr>,
    told: bool,
}

impl<'a> Elsewhere<'a> {
    /// For a program that was just started and is to listen on this port.
    pub fn new(plan: &'a LaunchPlan, port: u16, logs: &'a LogPipe, members: Members) -> Self {
        Self { plan, port, logs, members, looked_at: Instant::now(), seen: Vec::new(), told: false }
    }

    /// Looks again if it is time, and says once where it listens instead. A container's addresses are its own.
    pub async fn look(&mut self) {
        if self.plan.container.is_some() || self.looked_at.elapsed() < INTERVAL {
            return;
        }
        let members = self.members.clone();
        let addresses = tokio::task::spawn_blocking(move || members.listening()).await.unwrap_or_default();
        self.looked_at = Instant::now();
        let again = addresses == self.seen;
        self.seen = addresses;
        if again && !self.told {
            self.told = self.message().inspect(|message| self.logs.system(format!("so far {message}"))).is_some();
        }
    }

    /// The place at which it listens instead, with the remedy. `None` when it listens nowhere, or where it should.
    pub fn message(&self) -> Option<String> {
        message(&self.plan.noun, self.port, self.plan.port.is_some(), &self.seen)
    }
}

fn message(noun: &str, port: u16, fixed: bool, addresses: &[SocketAddr]) -> Option<String> {
    if let Some(unreachable) = addresses.iter().find(|address| address.port() == port) {
        let reached = match unreachable.ip() {
            IpAddr::V4(ip) => ip.is_unspecified() || ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_unspecified(),
        };
        return (!reached)
            .then(|| format!("{noun} listens on {unreachable}, where it is not asked: listen on 127.0.0.1 or 0.0.0.0"));
    }
    let other = addresses.first()?.port();
    let mut ports: Vec<_> = addresses.iter().map(|address| address.port().to_string()).collect();
    ports.dedup();
    let ports = ports.join(", ");
    Some(if fixed {
        format!("{noun} listens on port {ports}, not on port {port}: correct `port` under [container] in mikrocloud.toml")
    } else {
        format!(
            "{noun} listens on port {ports}, not on port {port} ($PORT): let it take its port from $PORT, or write `port = {other}` under \
             [container] in mikrocloud.toml"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_addresses() {
        let told = |fixed, addresses: &[&str]| {
            let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            message("the server", 45123, fixed, &addresses).unwrap_or_default()
        };
        assert_eq!(told(false, &[]), "");
        assert_eq!(told(false, &["0.0.0.0:45123", "127.0.0.1:9229"]), "");
        assert_eq!(told(false, &["[::]:45123"]), "");
        insta::assert_snapshot!(told(false, &["[::1]:45123"]), @"the server listens on [::1]:45123, where it is not asked: listen on 127.0.0.1 or 0.0.0.0");
        insta::assert_snapshot!(told(false, &["0.0.0.0:4200", "[::]:4200"]), @"the server listens on port 4200, not on port 45123 ($PORT): let it take its port from $PORT, or write `port = 4200` under [container] in mikrocloud.toml");
        insta::assert_snapshot!(told(true, &["127.0.0.1:4200", "127.0.0.1:9229"]), @"the server listens on port 4200, 9229, not on port 45123: correct `port` under [container] in mikrocloud.toml");
    }
}
