//! A program and everything it starts.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use clouds_contract::{CloudError, ErrorKind};
use domain::secret::Secret;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::Instant;

use super::marked::{POLL, kill_all};
use super::program::{find_program, search_path};
use super::scan::Process;
use super::{MARKER, Members, Usage};

/// Program to start, with its environment.
#[derive(Debug, Clone)]
pub struct ProcessSpec {
    /// The program and its arguments. No shell sees this.
    pub command: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
    /// All of its environment but `PATH`, `HOME` (the directory) and `LANG`, which these may replace.
    pub env: Vec<(String, Secret)>,
    /// By which it and its children are recognised; unique to it, with a prefix unique to this MikroCloud.
    pub marker: String,
    /// Standard input; empty if absent.
    pub input: Option<Secret>,
}

impl ProcessSpec {
    fn search_path(&self) -> OsString {
        self.env.iter().rfind(|(name, _)| name == "PATH").map_or_else(search_path, |(_, value)| value.expose().into())
    }

    fn build(&self) -> Result<Command, CloudError> {
        let name = self.command.first().map_or("", String::as_str);
        let program = find_program(name, &self.directory, &self.search_path())
            .map_err(|reason| failed(format!("{reason}: install it, or name another program in mikrocloud.toml")))?;
        let mut command = Command::new(program);
        command.args(self.command.iter().skip(1)).current_dir(&self.directory).env_clear();
        command.env("PATH", self.search_path()).env("HOME", &self.directory).env("LANG", "C.UTF-8");
        command.envs(self.env.iter().map(|(name, value)| (name, value.expose()))).env(MARKER, &self.marker);
        command.stdin(self.input()?).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        Ok(command)
    }

    /// A file in memory, which nobody has to write to while the program reads, and which it can open again.
    fn input(&self) -> Result<Stdio, CloudError> {
        let Some(text) = &self.input else { return Ok(Stdio::null()) };
        let file = || {
            let mut file = File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
            file.write_all(text.expose().as_bytes())?;
            file.rewind()?;
            Ok(file)
        };
        let file = file().map_err(|error: io::Error| CloudError::internal("the program's input could not be made", error))?;
        Ok(file.into())
    }
}

/// A running program and everything it started. Dropped, it is killed whole.
#[derive(Debug)]
pub struct ProcessTree {
    child: Child,
    group: Pid,
    members: Members,
    /// Nothing of it is left: its ids may belong to others by now.
    gone: bool,
}

impl ProcessTree {
    /// Starts the program in a process group of its own, without input, its output to be taken with [`Self::take_output`].
    /// Fails with `START_FAILED` when it is not there or cannot be run.
    pub fn spawn(spec: &ProcessSpec) -> Result<Self, CloudError> {
        let child = spec.build()?.spawn().map_err(|error| {
            let name = spec.command.first().map_or("", String::as_str);
            let reason = start_reason(&error, spec);
            failed(format!("`{name}` could not be started: {reason}")).caused_by(error)
        })?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(group) = pid else { return Err(failed("the program ended before it could be seen".to_owned())) };
        // A core dump of someone's server would hold its secrets. A process that is gone already needs no limit.
        let _ = prlimit(Some(group), Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        Ok(Self { child, group, members: Members::new(group, spec.marker.clone()), gone: false })
    }

    /// The program's process id, which is also that of its group.
    pub fn id(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// Standard output and standard error, once.
    pub fn take_output(&mut self) -> Option<(ChildStdout, ChildStderr)> {
        Some((self.child.stdout.take()?, self.child.stderr.take()?))
    }

    /// Waits for the program itself; what it started may go on. Dropping the future is harmless.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Limits the size of any file that the program, and what it starts from now on, writes; bytes.
    pub fn limit_file_size(&self, bytes: u64) {
        let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
        if let Err(error) = prlimit(Some(self.group), Resource::Fsize, limit) {
            tracing::debug!(%error, "no limit on file size: the process is gone");
        }
    }

    /// The processes of the tree, to be measured from another task.
    pub fn members(&self) -> Members {
        self.members.clone()
    }

    /// Returns the number of processes and the memory they hold. Reads `/proc`.
    pub fn usage(&self) -> Usage {
        self.members.usage()
    }

    /// Asks everything to end (SIGTERM), waits until nothing is left or the grace is over, then kills (SIGKILL) until nothing is
    /// left.
    pub async fn stop(&mut self, grace: Duration) {
        if self.gone {
            return;
        }
        let deadline = Instant::now() + grace;
        if !grace.is_zero() {
            self.members.scan().iter().for_each(|process| process.signal(Signal::TERM));
            while Instant::now() < deadline && !self.is_empty() {
                tokio::time::sleep(POLL.min(grace)).await;
            }
        }
        kill_all(|signal| self.members.sweep(Some(signal)).iter().map(Process::id).collect()).await;
        // Reaped, so that no zombie stays; the scan above has seen that this does not wait.
        let _ = self.child.wait().await;
        self.gone = true;
    }

    fn is_empty(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_))) && self.members.scan().is_empty()
    }
}

impl Drop for ProcessTree {
    fn drop(&mut self) {
        if !self.gone {
            self.members.sweep(Some(Signal::KILL));
        }
    }
}

fn failed(message: String) -> CloudError {
    CloudError::new(ErrorKind::Invalid, "START_FAILED", message)
}

fn start_reason(error: &io::Error, spec: &ProcessSpec) -> &'static str {
    match error.kind() {
        _ if !spec.directory.is_dir() => "its directory is not there",
        io::ErrorKind::NotFound => "the interpreter in its first line (#!) is not installed on this machine",
        io::ErrorKind::PermissionDenied => "MikroCloud's user may not run it",
        io::ErrorKind::InvalidInput => "an argument or a variable holds a NUL byte",
        io::ErrorKind::ArgumentListTooLong => {
            "its variables and arguments are larger than the system allows: move large values to files"
        }
        io::ErrorKind::ExecutableFileBusy => "the file is still being written",
        io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => "this machine has no room for another process",
        _ => "it is no program for this machine",
    }
}
