//! One program of a build, from its start until nothing of it is left.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use clouds_contract::{CloudError, ErrorKind, Retry};
use domain::secret::Secret;
use rustix::process::Signal;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;

use super::log::Log;
use super::watch::{Passed, Watch};
use super::{Build, failure};
use crate::cause::cause;
use crate::process::{LineReader, Pipe, ProcessSpec, ProcessTree};

/// Number of lines that wait for the log before the program is blocked.
const LINES_WAITING: usize = 256;

/// One program of a build.
pub(super) struct Step<'a> {
    pub build: &'a Build<'a>,
    /// Name of the step in messages.
    pub title: String,
    pub command: Vec<String>,
    /// Its working directory.
    pub directory: PathBuf,
    /// The whole environment of the program, but for `PATH`.
    pub env: Vec<(String, Secret)>,
    /// Time to end after a request to stop: the work that it drives may be elsewhere, and has to be notified.
    pub grace: Duration,
}

/// Outcome of a program.
enum End {
    Exited(ExitStatus),
    Passed(Passed),
    TimedOut,
    Cancelled,
    /// Its output could not be stored.
    Unheard,
}

impl Step<'_> {
    /// Runs the program. When this returns, every process of its tree is gone and all that the tree printed is in the log.
    pub async fn run(&self, log: &mut Log<'_>) -> Result<(), CloudError> {
        log.forget_last_lines();
        let mut tree = self.start()?;
        let (sender, receiver) = mpsc::channel(LINES_WAITING);
        let ended = CancellationToken::new();
        if let Some((stdout, stderr)) = tree.take_output() {
            read(Pipe::new(stdout, ended.clone()), sender.clone());
            read(Pipe::new(stderr, ended.clone()), sender.clone());
        }
        drop(sender);
        let unheard = CancellationToken::new();
        let end = async {
            let end = self.end(&mut tree, &unheard).await;
            ended.cancel();
            end
        };
        let (end, stored) = tokio::join!(end, store(receiver, log, &unheard));
        stored?;
        self.verdict(&end?, log)
    }

    fn start(&self) -> Result<ProcessTree, CloudError> {
        let spec = ProcessSpec {
            command: self.command.clone(),
            directory: self.directory.clone(),
            env: self.env.clone(),
            marker: self.build.marker.clone(),
            input: None,
        };
        let tree = ProcessTree::spawn(&spec)
            .map_err(|error| failure(error.kind, "TOOLCHAIN_MISSING", error.message.clone()).caused_by(error))?;
        // The second line of defence: one file alone cannot fill the disk between two looks at it.
        tree.limit_file_size(self.build.request.limits.disk_mib << 20);
        Ok(tree)
    }

    /// Waits for the end, or makes one.
    async fn end(&self, tree: &mut ProcessTree, unheard: &CancellationToken) -> Result<End, CloudError> {
        let watch = Watch {
            members: tree.members(),
            directories: [self.build.request.directory.clone(), self.build.aside.path().to_owned()],
            limits: self.build.request.limits,
        };
        let end = tokio::select! {
            biased;
            () = self.build.stop.cancelled() => Ok(End::Cancelled),
            () = unheard.cancelled() => Ok(End::Unheard),
            status = tree.wait() => status.map(End::Exited),
            () = tokio::time::sleep_until(self.build.deadline) => Ok(End::TimedOut),
            passed = watch.passed() => Ok(End::Passed(passed)),
        };
        // What the program left running goes with it.
        tree.stop(self.grace).await;
        end.map_err(|error| CloudError::internal("the build's program could not be waited for", error))
    }

    fn verdict(&self, end: &End, log: &Log<'_>) -> Result<(), CloudError> {
        let limits = &self.build.request.limits;
        let exhausted = |code, message: String| Err(failure(ErrorKind::Exhausted, code, message));
        match end {
            End::Exited(status) if status.success() => Ok(()),
            End::Exited(status) if status.signal() == Some(Signal::XFSZ.as_raw()) => {
                exhausted("BUILD_DISK", too_much_disk(limits.disk_mib))
            }
            End::Exited(status) => Err(self.failed(*status, log)),
            End::Passed(Passed::Memory) => exhausted(
                "BUILD_MEMORY",
                format!(
                    "the build used more than {} MiB of memory and was stopped: make it need less, or raise the limit",
                    limits.memory_mib
                ),
            ),
            End::Passed(Passed::Processes) => exhausted(
                "BUILD_PROCESSES",
                format!(
                    "the build had more than {} processes at once and was stopped: start fewer, or raise the limit",
                    limits.processes
                ),
            ),
            End::Passed(Passed::Disk) => exhausted("BUILD_DISK", too_much_disk(limits.disk_mib)),
            End::Passed(Passed::Full) => exhausted(
                "BUILD_DISK",
                "this machine's disk is nearly full, and the build was stopped: free some space and deploy again".to_owned(),
            ),
            End::TimedOut => {
                let message = format!(
                    "the build took longer than {} seconds and was stopped during `{}`: make it faster, or raise the limit",
                    limits.wall_seconds, self.title
                );
                // The same build takes as long again.
                Err(failure(ErrorKind::TimedOut, "BUILD_TIMEOUT", message).with_retry(Retry::Never))
            }
            End::Cancelled => Err(cancelled()),
            End::Unheard => Err(CloudError::new(ErrorKind::Internal, "INTERNAL", "the build's log could not be stored")),
        }
    }

    fn failed(&self, status: ExitStatus, log: &Log<'_>) -> CloudError {
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit status {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        let last = log.last_lines();
        let because = cause(&last.lines().collect::<Vec<_>>()).map(|cause| format!(": {cause}")).unwrap_or_default();
        let last = if last.is_empty() { "It printed nothing.".to_owned() } else { format!("Its last lines:\n{last}") };
        failure(ErrorKind::Invalid, "BUILD_FAILED", format!("`{}` {how}{because}. {last}", self.title))
    }
}

pub(super) fn cancelled() -> CloudError {
    failure(ErrorKind::Cancelled, "BUILD_CANCELLED", "the build was cancelled")
}

fn too_much_disk(limit_mib: u64) -> String {
    format!("the build wrote more than {limit_mib} MiB and was stopped: let it write less, or raise the limit")
}

/// Reads lines until the output ends.
fn read(reader: impl AsyncRead + Unpin + Send + 'static, lines: mpsc::Sender<Vec<u8>>) {
    let mut reader = LineReader::new(reader);
    tokio::spawn(async move {
        while let Ok(Some(line)) = reader.next().await {
            if lines.send(line).await.is_err() {
                return;
            }
        }
    });
}

/// Stores lines as they come; a line waits only as long as a batch may. A log that cannot be stored ends the program.
async fn store(mut lines: mpsc::Receiver<Vec<u8>>, log: &mut Log<'_>, unheard: &CancellationToken) -> Result<(), CloudError> {
    let stored = async {
        loop {
            let line = match log.due() {
                None => Ok(lines.recv().await),
                Some(due) => tokio::time::timeout_at(due, lines.recv()).await,
            };
            match line {
                Ok(Some(line)) => log.output(&line).await?,
                Ok(None) => return log.flush().await,
                Err(_) => log.flush().await?,
            }
        }
    };
    let stored: Result<(), CloudError> = stored.await;
    if stored.is_err() {
        unheard.cancel();
    }
    stored
}
