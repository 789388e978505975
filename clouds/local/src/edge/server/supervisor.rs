//! Starts and stops a server's replicas as there is reason to.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::fixed_ports::{Claim, Rank};
use super::group::{Phase, ServerGroup};
use super::replica::replica;
use crate::edge::instance::{StartFailure, is_free};

/// Interval at which a port that another process holds is tried again, for a server that is live.
const PORT_RETRY: Duration = Duration::from_secs(2);

/// Runs until the workload is to be gone and nothing of it is left.
pub(super) async fn supervise(group: Arc<ServerGroup>) {
    if !group.was_ready() && group.spec.image.is_none() && (group.spec.cpu - 1.0).abs() > f64::EPSILON {
        let line = format!("cpu = {} is not enforced on this machine: a process may use any core", group.spec.cpu);
        group.place.logs.system(line);
    }
    let mut ports = group.place.shared.fixed_ports.changes();
    while !group.place.retire.is_cancelled() {
        if group.has_reason() {
            run(&group).await;
            continue;
        }
        tokio::select! {
            () = group.wake.notified() => {}
            () = group.place.retire.cancelled() => {}
            _ = ports.changed(), if group.spec.port.is_some() => {}
        }
    }
    group.place.logs.flush(Duration::from_secs(2)).await;
    group.set_phase(Phase::Gone);
}

/// Runs replicas for as long as there is reason to.
async fn run(group: &Arc<ServerGroup>) {
    if claim_port(group).await {
        group.set_phase(Phase::Starting);
        run_replicas(group).await;
    }
    if let Some(port) = group.spec.port {
        group.place.shared.fixed_ports.release(port, group.place.id());
    }
    if !matches!(group.phase(), Phase::Failed { .. }) {
        group.set_phase(Phase::Idle);
    }
}

async fn run_replicas(group: &Arc<ServerGroup>) {
    let stop = group.place.retire.child_token();
    let mut ports = group.place.shared.fixed_ports.changes();
    let mut replicas = JoinSet::new();
    let mut running: Vec<CancellationToken> = Vec::new();
    let mut number = 0;
    while group.has_reason() {
        // Those that moved away from this machine; the newest go first.
        while group.is_live() && running.len() > group.replicas() {
            running.pop().inspect(CancellationToken::cancel);
        }
        while running.len() < group.replicas() {
            number += 1;
            let stop_one = stop.child_token();
            running.push(stop_one.clone());
            replicas.spawn(replica(Arc::clone(group), number, stop_one));
        }
        let look_again = group.keep_until().max(Instant::now() + Duration::from_secs(1));
        tokio::select! {
            _ = replicas.join_next() => {
                // One that ends by itself has given up for all; one that moved away has not.
                if running.iter().any(CancellationToken::is_cancelled) || replicas.len() < running.len() {
                    break;
                }
            }
            () = group.wake.notified() => {}
            () = stop.cancelled() => {}
            () = sleep_until(look_again), if !group.is_live() => {}
            _ = ports.changed(), if group.spec.port.is_some() => {}
        }
    }
    stop.cancel();
    while replicas.join_next().await.is_some() {}
}

/// Waits until the fixed port, if it has one, is its own. `false` when it cannot be had now.
async fn claim_port(group: &Arc<ServerGroup>) -> bool {
    let Some(port) = group.spec.port else { return true };
    let place = &group.place;
    let ports = &place.shared.fixed_ports;
    let mut changes = ports.changes();
    let mut told = false;
    while group.has_reason() {
        changes.mark_unchanged();
        match ports.claim(port, place.id(), place.desired.environment_id, rank(group)) {
            Claim::Granted if is_free(port) => return true,
            Claim::Granted => return taken(group, format!("port {port} is in use by another program on this machine")).await,
            Claim::Refused => return taken(group, format!("port {port} is in use by another deployment")).await,
            Claim::Wait if !told && rank(group) == Rank::Release => {
                told = true;
                place.logs.system(format!(
                    "the release that is live has to be stopped first, because both listen on the fixed port {port}: \
                     requests wait meanwhile. A server that listens on $PORT is replaced without that"
                ));
            }
            Claim::Wait => {}
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = group.wake.notified() => {}
            () = place.retire.cancelled() => {}
        }
    }
    false
}

fn rank(group: &ServerGroup) -> Rank {
    match (group.was_ready(), group.is_live()) {
        (false, _) => Rank::Release,
        (true, true) => Rank::Live,
        (true, false) => Rank::OnDemand,
    }
}

async fn taken(group: &Arc<ServerGroup>, what: String) -> bool {
    let message = format!("{what}: stop that one, or let this server listen on $PORT and remove `port` under [container]");
    let failure = StartFailure::new("PORT_TAKEN", message);
    if group.start_failed(&failure) {
        tokio::select! {
            () = sleep(PORT_RETRY) => {}
            () = group.place.retire.cancelled() => {}
        }
    }
    false
}
