//! Processes that outlived the MikroCloud that started them.

use std::collections::HashSet;
use std::time::Duration;

use rustix::process::Signal;

use super::scan::each_process;

/// Interval at which the list of processes is read while waiting for some to end.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// Time within which killed processes have to be gone. Only one that hangs in the kernel (a dead network file system) takes
/// longer.
pub(super) const KILL_DEADLINE: Duration = Duration::from_mins(1);

/// Kills every process whose marker starts with `prefix` and returns how many there were, once none is left.
pub async fn kill_marked(prefix: &str) -> usize {
    let mut killed = HashSet::new();
    kill_all(|signal| {
        let mut found = Vec::new();
        each_process(|process| {
            if process.marker().is_some_and(|marker| marker.starts_with(prefix)) {
                process.signal_with_group(signal);
                found.push(process.id());
            }
        });
        killed.extend(found.iter().copied());
        found
    })
    .await;
    killed.len()
}

/// Maximum number of rounds in which all are stopped before they are killed.
const ROUNDS: usize = 50;

/// Repeats `sweep`, which sends a signal to all it finds and returns their ids, until it finds nothing. All are stopped before
/// any is killed: what is stopped cannot fork, nor replace a child whose end it sees.
pub(super) async fn kill_all(mut sweep: impl FnMut(Signal) -> Vec<i32>) {
    let deadline = tokio::time::Instant::now() + KILL_DEADLINE;
    loop {
        let mut known = HashSet::new();
        for _ in 0..ROUNDS {
            let found = sweep(Signal::STOP);
            let before = known.len();
            known.extend(found);
            if known.len() == before {
                break;
            }
        }
        if sweep(Signal::KILL).is_empty() {
            return;
        }
        if tokio::time::Instant::now() >= deadline {
            tracing::error!("killed processes do not end: they hang in the kernel");
            return;
        }
        tokio::time::sleep(POLL).await;
    }
}
