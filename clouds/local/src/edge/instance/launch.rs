//! Starts a process and waits until it answers.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use clouds_contract::CloudError;
use domain::secret::Secret;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::elsewhere::Elsewhere;
use super::port::{ReservedPort, is_free};
use super::probe::{Finding, Probe};
use super::running::{Running, describe_end};
use crate::edge::logs::{LAST_LINES, LogPipe, Output};
use crate::engine::Container;
use crate::process::{ProcessSpec, ProcessTree};

/// Number of times that another port is tried if the chosen one was taken.
const PORT_ATTEMPTS: u32 = 3;

/// Timeout of one probe.
const PROBE_PATIENCE: Duration = Duration::from_secs(10);

/// Minimum timeout of the last probe before the deadline: one cut off too soon would give no result.
const SHORTEST_PROBE: Duration = Duration::from_secs(1);

/// Plan of a launch: the program to start, and the probe that shows that it answers.
#[derive(Debug, Clone)]
pub(crate) struct LaunchPlan {
    /// Name of the process in messages, such as `the server`.
    pub noun: String,
    /// The program and its arguments; `$PORT` and `${PORT}` are replaced.
    pub command: Vec<String>,
    pub directory: PathBuf,
    /// Its variables, without `PORT` and `HOST`.
    pub env: Vec<(String, Secret)>,
    pub marker: String,
    /// The port it must have, when it cannot take any.
    pub port: Option<u16>,
    pub probe: Probe,
    pub deadline: Duration,
    pub stop_grace: Duration,
    /// Standard input of the program.
    pub input: Option<Secret>,
    /// The container that the program, an engine's client then, runs in the foreground.
    pub container: Option<Container>,
}

impl LaunchPlan {
    /// Removes the container, if there is one: it may outlive the client. What cannot be removed is tried again before the next
    /// start and at the next start of the edge.
    async fn remove_container(&self) {
        if let Some(container) = &self.container
            && let Err(error) = container.remove().await
        {
            tracing::warn!(marker = self.marker, %error, "a container could not be removed");
        }
    }
}

/// Reason for which a process did not start: a code for programs and a message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StartFailure {
    pub code: &'static str,
    pub message: String,
    /// Indicates that a retry may succeed: it was not the workload's fault.
    pub is_retryable: bool,
}

impl StartFailure {
    /// A failure that trying again does not mend.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), is_retryable: false }
    }

    /// A failure that may be over later.
    pub fn transient(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), is_retryable: true }
    }
}

impl StartFailure {
    /// The message without the program's last lines, for a log that has them already.
    pub fn summary(&self) -> &str {
        self.message.split_once(LAST_LINES).map_or(self.message.as_str(), |(summary, _)| summary)
    }
}

impl From<CloudError> for StartFailure {
    fn from(error: CloudError) -> Self {
        Self { is_retryable: error.is_retryable(), code: error.code, message: error.message }
    }
}

/// Outcome of a launch without a running process.
#[derive(Debug)]
pub(crate) enum LaunchError {
    /// It was cancelled.
    Stopped,
    /// It failed.
    Failed(StartFailure),
}

fn failed(code: &'static str, message: impl Into<String>) -> LaunchError {
    LaunchError::Failed(StartFailure::new(code, message))
}

/// Starts the process and waits until it answers. Whatever the outcome, no process is left unless it is in the result.
pub(crate) async fn launch(plan: &LaunchPlan, logs: &LogPipe, stop: &CancellationToken) -> Result<Running, LaunchError> {
    let mut attempt = 1;
    loop {
        let (port, exited) = match attempt_once(plan, logs, stop).await? {
            Attempt::Running(running) => return Ok(*running),
            Attempt::Exited { port, message } => (port, message),
        };
        // It may have found its port taken in the moment between choosing and listening.
        if plan.port.is_some() || attempt == PORT_ATTEMPTS || is_free(port) {
            return Err(failed("SERVER_EXITED", exited));
        }
        attempt += 1;
    }
}

enum Attempt {
    Running(Box<Running>),
    Exited { port: u16, message: String },
}

async fn attempt_once(plan: &LaunchPlan, logs: &LogPipe, stop: &CancellationToken) -> Result<Attempt, LaunchError> {
    let port = plan.port.map_or_else(ReservedPort::any, |port| Ok(ReservedPort::fixed(port)));
    let port = port.map_err(|error: io::Error| failed("START_FAILED", format!("this machine has no free port: {error}")))?;
    // An earlier process of ours may have left one of this name when no engine answered.
    plan.remove_container().await;
    let mut tree = ProcessTree::spawn(&spec(plan, port.number())).map_err(|error| LaunchError::Failed(error.into()))?;
    let mut output = logs.follow(&mut tree);
    let mut elsewhere = Elsewhere::new(plan, port.number(), logs, tree.members());
    let outcome = wait_until_healthy(plan, port.number(), &mut tree, &mut elsewhere, stop).await;
    if !matches!(outcome, Outcome::Healthy) {
        let grace = if matches!(outcome, Outcome::Exited(_)) { Duration::ZERO } else { plan.stop_grace };
        tree.stop(grace).await;
        plan.remove_container().await;
    }
    match outcome {
        Outcome::Healthy => Ok(Attempt::Running(Box::new(Running::new(tree, port, output, plan.container.clone())))),
        Outcome::Stopped => Err(LaunchError::Stopped),
        Outcome::Exited(status) => {
            Ok(Attempt::Exited { port: port.number(), message: exit_message(plan, status, &mut output).await })
        }
        Outcome::Unhealthy(finding) => {
            let elsewhere = elsewhere.message().filter(|_| finding == Some(Finding::Refused));
            let message = elsewhere.unwrap_or_else(|| unhealthy_message(plan, port.number(), finding));
            Err(failed("HEALTH_CHECK_FAILED", message + &output.last_lines().await))
        }
    }
}

enum Outcome {
    Healthy,
    Stopped,
    Exited(io::Result<ExitStatus>),
    /// The deadline passed; what was found last, `None` when a probe was never answered.
    Unhealthy(Option<Finding>),
}

async fn wait_until_healthy(
    plan: &LaunchPlan,
    port: u16,
    tree: &mut ProcessTree,
    elsewhere: &mut Elsewhere<'_>,
    stop: &CancellationToken,
) -> Outcome {
    let started = Instant::now();
    let mut last = None;
    loop {
        let left = plan.deadline.saturating_sub(started.elapsed());
        let pause = Duration::from_millis(if started.elapsed() < Duration::from_secs(3) { 50 } else { 250 });
        let probe = async {
            let finding = timeout(left.clamp(SHORTEST_PROBE, PROBE_PATIENCE), plan.probe.once(port)).await.ok();
            if finding != Some(Finding::Healthy) {
                sleep(pause.min(left)).await;
            }
            finding
        };
        last = tokio::select! {
            () = stop.cancelled() => return Outcome::Stopped,
            status = tree.wait() => return Outcome::Exited(status),
            // What it answered before tells more than that it was slow at the end.
            finding = probe => finding.or(last.filter(|finding| *finding != Finding::Refused)),
        };
        if last == Some(Finding::Healthy) {
            // What answered may be somebody else who took the port first: then our own process ends about now.
            return timeout(Duration::ZERO, tree.wait()).await.map_or(Outcome::Healthy, Outcome::Exited);
        }
        if last == Some(Finding::Refused) {
            elsewhere.look().await;
        }
        if started.elapsed() >= plan.deadline {
            return Outcome::Unhealthy(last);
        }
    }
}

fn spec(plan: &LaunchPlan, port: u16) -> ProcessSpec {
    let number = port.to_string();
    let replace = |argument: &String| argument.replace("${PORT}", &number).replace("$PORT", &number);
    let mut env = plan.env.clone();
    env.retain(|(name, _)| name != "PORT" && name != "HOST");
    env.push(("PORT".to_owned(), Secret::new(number.as_str())));
    env.push(("HOST".to_owned(), Secret::new("127.0.0.1")));
    ProcessSpec {
        command: plan.command.iter().map(replace).collect(),
        directory: plan.directory.clone(),
        env,
        marker: plan.marker.clone(),
        input: plan.input.clone(),
    }
}

async fn exit_message(plan: &LaunchPlan, status: io::Result<ExitStatus>, output: &mut Output) -> String {
    let how = describe_end(status, plan.container.as_ref());
    format!("{} {how} before it answered{}", plan.noun, output.last_lines().await)
}

fn unhealthy_message(plan: &LaunchPlan, port: u16, finding: Option<Finding>) -> String {
    let seconds = plan.deadline.as_secs_f64();
    let path = match &plan.probe {
        Probe::Http { path } => path.as_str(),
        Probe::Connect => "/",
    };
    match finding {
        Some(Finding::Refused | Finding::NotHttp) if let Some(container) = &plan.container => format!(
            "nothing in the container answers GET {path} on port {} ($PORT) after {seconds} s: listen on 0.0.0.0 and the port in $PORT, or \
             name the program's own port with container.port",
            container.port
        ),
        Some(Finding::Status(status)) => {
            format!("GET {path} answered {status} for {seconds} s: any status below 500 counts as healthy, see health_path")
        }
        Some(Finding::NotHttp) => format!("what listens on port {port} does not answer GET {path} with HTTP"),
        Some(Finding::Refused) => format!(
            "nothing listens on port {port} ($PORT) after {seconds} s: listen on 127.0.0.1 or 0.0.0.0 and the port in $PORT"
        ),
        Some(Finding::Healthy) | None => {
            format!("{} listens on port {port} but did not answer GET {path} within {seconds} s", plan.noun)
        }
    }
}
