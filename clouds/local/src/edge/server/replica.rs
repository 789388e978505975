//! One replica: a process that is started again when it ends.

use std::sync::Arc;
use std::time::Duration;

use domain::secret::Secret;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::group::ServerGroup;
use super::program::Program;
use crate::edge::instance::{Ended, LaunchError, LaunchPlan, Probe, Running, StartFailure, launch};

/// Time for which requests in progress may continue in a workload that is deleted.
const RETIRE_DRAIN: Duration = Duration::from_secs(3);

/// Time for which a failure waits until the output before it is stored.
const FLUSH: Duration = Duration::from_secs(1);

/// Keeps one process running until `stop` fires. Fires it itself when it gives up.
pub(super) async fn replica(group: Arc<ServerGroup>, number: u32, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    while !stop.is_cancelled() {
        let started = Instant::now();
        let reason = match start(&group, number, &stop).await {
            Ok(running) => match serve(&group, running, &stop).await {
                Some(reason) => reason,
                None => return,
            },
            Err(LaunchError::Stopped) => return,
            Err(LaunchError::Failed(failure)) => {
                // What it printed is there for whoever hears of the failure.
                group.place.logs.flush(FLUSH).await;
                if !group.start_failed(&failure) {
                    stop.cancel();
                    return;
                }
                failure.summary().to_owned()
            }
        };
        if !group.has_reason() {
            return;
        }
        let pause = backoff.pause_after(started.elapsed());
        group.place.logs.system(format!("{reason}\nrestarting in {} s", pause.as_secs_f64()));
        metrics::counter!("mikrocloud_edge_restarts_total").increment(1);
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn start(group: &ServerGroup, number: u32, stop: &CancellationToken) -> Result<Running, LaunchError> {
    let plan = plan(group, number).await.map_err(LaunchError::Failed)?;
    launch(&plan, &group.place.logs, stop).await
}

async fn plan(group: &ServerGroup, number: u32) -> Result<LaunchPlan, StartFailure> {
    let place = &group.place;
    let artifact = place.shared.control.artifact(&place.desired.artifact).await?;
    let mut env = place.variables().await?;
    let own = group.spec.env.iter().filter(|(name, _)| !env.iter().any(|(other, _)| other == name));
    let own: Vec<_> = own.map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect();
    env.extend(own);
    let marker = place.marker(&number.to_string());
    let program = Program::of(group, artifact, env, &marker).await?;
    Ok(LaunchPlan {
        noun: "the server".to_owned(),
        command: program.command,
        directory: program.directory,
        env: program.env,
        marker,
        port: group.spec.port,
        probe: Probe::Http { path: group.spec.health_path.clone() },
        deadline: place.shared.config.start_deadline,
        stop_grace: place.shared.config.stop_grace,
        input: program.input,
        container: program.container,
    })
}

/// Lets it answer until it ends or is to end. `None` when it was to end; otherwise why it ended.
async fn serve(group: &ServerGroup, mut running: Running, stop: &CancellationToken) -> Option<String> {
    let instance = Arc::clone(&running.instance);
    group.replica_ready(Arc::clone(&instance));
    let ended = running.watch(group.spec.memory_mib, stop).await;
    let reason = match &ended {
        Ended::Asked => "it is stopped".to_owned(),
        Ended::Exited(how) => format!("the server {how}"),
        Ended::OverMemory { used_mib } => {
            format!("used {used_mib} MiB, limit {} MiB: the server is killed", group.spec.memory_mib)
        }
    };
    group.replica_gone(&instance, &reason);
    if ended == Ended::Asked {
        drain(group, &running).await;
        running.stop(Duration::ZERO, group.place.stop_grace()).await;
        return None;
    }
    running.stop(Duration::ZERO, Duration::ZERO).await;
    Some(reason)
}

/// Lets requests under way finish, shorter when the workload is to be gone altogether.
async fn drain(group: &ServerGroup, running: &Running) {
    let place = &group.place;
    tokio::select! {
        _ = timeout(place.shared.config.drain, running.instance.idle()) => return,
        () = place.retire.cancelled() => {}
    }
    let patience = place.shared.stop_drain().unwrap_or(RETIRE_DRAIN).min(place.shared.config.drain);
    let _ = timeout(patience, running.instance.idle()).await;
}
