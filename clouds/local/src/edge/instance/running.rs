//! A process that answers, watched until it ends.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Authority;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::pool::Instance;
use super::port::ReservedPort;
use crate::edge::logs::Output;
use crate::engine::Container;
use crate::process::ProcessTree;

const MIB: u64 = 1 << 20;

/// Interval at which the memory of a process is measured.
const SAMPLE: Duration = Duration::from_secs(1);

/// A process that answers.
pub(crate) struct Running {
    /// Instance that requests are sent to.
    pub instance: Arc<Instance>,
    tree: ProcessTree,
    /// The container that the tree, a client of an engine, runs.
    container: Option<Container>,
    output: Output,
    _port: ReservedPort,
}

/// Reason for which a process is to stop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was told to stop, and still runs.
    Asked,
    /// It ended by itself; the text says how.
    Exited(String),
    /// It uses more memory than it may, and still runs. In MiB.
    OverMemory { used_mib: u64 },
}

impl Running {
    pub(super) fn new(tree: ProcessTree, port: ReservedPort, output: Output, container: Option<Container>) -> Self {
        let authority = format!("127.0.0.1:{}", port.number());
        let authority = authority.parse().unwrap_or_else(|_| Authority::from_static("127.0.0.1"));
        Self { instance: Instance::new(authority), tree, container, output, _port: port }
    }

    /// Waits until it ends, uses more than `memory_mib`, or `stop` fires. The memory of a container is held by its engine.
    pub async fn watch(&mut self, memory_mib: u64, stop: &CancellationToken) -> Ended {
        let mut samples = interval(SAMPLE);
        samples.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ended::Asked,
                status = self.tree.wait() => {
                    let how = describe_end(status, self.container.as_ref());
                    return Ended::Exited(format!("{how}{}", self.output.last_lines().await));
                }
                _ = samples.tick(), if self.container.is_none() => {}
            }
            let members = self.tree.members();
            let used = tokio::task::spawn_blocking(move || members.usage().memory_bytes).await.unwrap_or(0);
            if memory_mib > 0 && used > memory_mib * MIB {
                return Ended::OverMemory { used_mib: used.div_ceil(MIB) };
            }
        }
    }

    /// Lets requests under way finish for as long as `drain`, then ends it: SIGTERM, and SIGKILL after `grace`.
    pub async fn stop(&mut self, drain: Duration, grace: Duration) {
        self.instance.close();
        let _ = timeout(drain, self.instance.idle()).await;
        self.tree.stop(grace).await;
        if let Some(container) = &self.container
            && let Err(error) = container.remove().await
        {
            tracing::warn!(%error, "a container could not be removed");
        }
    }
}

/// Describes the end of a process, such as `exited with status 1`.
pub(super) fn describe_end(status: io::Result<ExitStatus>, container: Option<&Container>) -> String {
    let status = match status {
        Ok(status) => status,
        Err(error) => return format!("ended ({error})"),
    };
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    };
    how + &container.map(|container| container.explain(status)).unwrap_or_default()
}
