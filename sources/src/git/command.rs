//! Running the `git` program: without our environment, in a process group of its own, within limits.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::source::Repository;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{GitOptions, HttpLogin, SourceError};

/// Variables that Git may inherit from our environment: the location of programs, keys and certificates, and the proxies of the
/// network.
const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// No prompt, and a host that was never seen is trusted once; a host whose key changed is not. Of an option that is given twice ssh
/// takes the first: the operator's, when there is one.
const SSH_OPTIONS: &str = "-oBatchMode=yes -oStrictHostKeyChecking=accept-new -oConnectTimeout=20";

/// Maximum size of Git's stored output: its end.
const OUTPUT_KEPT: usize = 64 * 1024;

/// Interval at which the size of the fetched data is checked.
const SIZE_CHECK: Duration = Duration::from_secs(1);

/// Time within which killed programs have to be gone.
const KILL_WAIT: Duration = Duration::from_secs(10);

/// The `git` program, set up for one repository and one directory.
pub(super) struct Git {
    pub repository: Repository,
    pub target: PathBuf,
    config: NamedTempFile,
    ssh: String,
    env: Vec<(String, String)>,
    deadline: Instant,
    timeout: Duration,
    bytes: u64,
    stop: CancellationToken,
}

/// Output of a run of Git.
pub(super) struct Output {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Git {
    pub async fn new(
        repository: &Repository,
        target: &Path,
        options: &GitOptions,
        stop: CancellationToken,
    ) -> Result<Self, SourceError> {
        tokio::fs::create_dir_all(target).await.map_err(SourceError::io)?;
        // Beside the target: whoever clears that up after a crash clears this up, too.
        let config = NamedTempFile::new_in(target.parent().unwrap_or(target)).map_err(SourceError::io)?;
        let text = config_text(repository, options.config.as_deref(), options.login.as_ref());
        tokio::fs::write(config.path(), text).await.map_err(SourceError::io)?;
        Ok(Self {
            repository: repository.clone(),
            target: target.to_owned(),
            config,
            ssh: format!("{} {SSH_OPTIONS}", options.ssh.as_deref().unwrap_or("ssh")),
            env: options.env.clone(),
            deadline: Instant::now() + options.timeout,
            timeout: options.timeout,
            bytes: options.bytes,
            stop,
        })
    }

    /// Runs Git in the target and returns what it printed; an error when it failed.
    pub async fn run(&self, arguments: &[&str]) -> Result<String, SourceError> {
        let output = self.try_run(arguments).await?;
        if output.success { Ok(output.stdout) } else { Err(SourceError::from_git(self.repository.as_str(), &output.stderr)) }
    }

    /// Runs Git in the target, whether it fails or not.
    pub async fn try_run(&self, arguments: &[&str]) -> Result<Output, SourceError> {
        let mut child = self.command(arguments).spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => SourceError::GitMissing,
            _ => SourceError::io(error),
        })?;
        let mut group = Group::of(&child);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut finished = std::pin::pin!(async { tokio::join!(child.wait(), tail(stdout), tail(stderr)) });
        let error = tokio::select! {
            (status, stdout, stderr) = &mut finished => {
                group.forget();
                return Ok(Output { success: status.map_err(SourceError::io)?.success(), stdout, stderr });
            }
            () = self.stop.cancelled() => SourceError::Cancelled,
            () = tokio::time::sleep_until(self.deadline) => SourceError::Timeout { seconds: self.timeout.as_secs() },
            () = self.too_large() => SourceError::TooLarge { limit_bytes: self.bytes },
        };
        group.kill();
        // Whoever holds the other end of the pipes is gone then, and writes no more into the target.
        let _ = tokio::time::timeout(KILL_WAIT, finished).await;
        Err(error)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.target).args(arguments).env_clear();
        command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "true").env("GIT_SSH_COMMAND", &self.ssh);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", self.config.path()).env("GIT_LFS_SKIP_SMUDGE", "1");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.env("GIT_CEILING_DIRECTORIES", self.target.parent().unwrap_or(&self.target));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        command
    }

    /// Returns when the target has become larger than it may.
    async fn too_large(&self) {
        loop {
            tokio::time::sleep(SIZE_CHECK).await;
            let (target, limit) = (self.target.clone(), self.bytes);
            if tokio::task::spawn_blocking(move || size(&target, limit) > limit).await.unwrap_or(false) {
                return;
            }
        }
    }
}

/// The bytes in a directory; counting ends soon after the limit.
fn size(directory: &Path, limit: u64) -> u64 {
    let files = walkdir::WalkDir::new(directory).into_iter().filter_map(|entry| entry.ok()?.metadata().ok());
    let mut sum = 0;
    for meta in files.filter(std::fs::Metadata::is_file) {
        sum += meta.len();
        if sum > limit {
            break;
        }
    }
    sum
}

/// Our configuration. It is a file because Git hides `-c` settings from the program that serves a local repository.
fn config_text(repository: &Repository, include: Option<&Path>, login: Option<&HttpLogin>) -> String {
    // Only a repository on this machine may have submodules on this machine: a stranger's must not read our files.
    let file = if repository.local_path().is_some() { "always" } else { "never" };
    let include = include.map_or_else(String::new, |path| {
        let path = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        format!("[include]\n\tpath = \"{path}\"\n")
    });
    let login = login.map_or_else(String::new, login_text);
    format!(
        "{include}{login}[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n\
         [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[safe]\n\tdirectory = *\n[submodule]\n\tfetchJobs = 2\n\
         [protocol]\n\tallow = never\n[protocol \"https\"]\n\tallow = always\n[protocol \"http\"]\n\tallow = always\n\
         [protocol \"ssh\"]\n\tallow = always\n[protocol \"file\"]\n\tallow = {file}\n"
    )
}

/// Shows a login to its server. It stands in our configuration, which only we can read and which goes with the fetch; in an argument or a
/// variable others would see it. Redirections are not followed: Git would show it to whoever it is led to.
fn login_text(login: &HttpLogin) -> String {
    let server = login.server.as_str().replace('\\', "\\\\").replace('"', "\\\"");
    let pair = Zeroizing::new(format!("{}:{}", login.user, login.password.expose()));
    format!(
        "[http \"{server}\"]\n\textraHeader = \"Authorization: Basic {}\"\n\tfollowRedirects = false\n",
        STANDARD.encode(pair.as_bytes())
    )
}

/// The end of what a program prints, however much it is.
async fn tail(reader: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    let Some(mut reader) = reader else { return String::new() };
    let mut chunk = vec![0; 8 * 1024];
    while let Ok(read @ 1..) = reader.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..read]);
        if kept.len() > 2 * OUTPUT_KEPT {
            kept.drain(..kept.len() - OUTPUT_KEPT);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Git and the programs it starts (ssh, the https helper), killed together when this is dropped before they ended.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// They ended: their id may belong to others.
    fn forget(&mut self) {
        self.0 = None;
    }

    fn kill(&mut self) {
        if let Some(group) = self.0.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
