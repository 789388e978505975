//! A MikroCloud of a test's own: the real binary, in a directory of its own, on a port of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::processes;

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The binary that is tested.
pub const BINARY: &str = env!("CARGO_BIN_EXE_mikrocloud");

/// A running MikroCloud. Dropping it kills it with all it started.
pub struct House {
    directory: TempDir,
    env: Vec<(String, String)>,
    /// The binary that it runs: this version or another.
    pub binary: PathBuf,
    child: Option<Child>,
    /// The port it listens on; the same after a restart.
    pub port: u16,
    /// Its one-time sign-in link, as the first start printed it.
    pub sign_in_link: Option<String>,
    pub(crate) http: reqwest::Client,
}

impl House {
    /// Starts one with a fresh state.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with these variables in its environment.
    pub async fn start_with(env: &[(&str, &str)]) -> Self {
        let mut house = Self::prepare(env);
        house.run().await;
        house
    }

    /// One that does not run yet.
    pub fn prepare(env: &[(&str, &str)]) -> Self {
        // Only the first call in a process sets it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let directory = TempDir::with_prefix("mikrocloud-e2e-").unwrap();
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { directory, env, binary: BINARY.into(), child: None, port: 0, sign_in_link: None, http }
    }

    /// Changes variables of its environment, for its next start.
    pub fn set_env(&mut self, env: &[(&str, &str)]) {
        self.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }

    /// Directory of its state.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A directory for the test's own files.
    pub fn scratch(&self, name: &str) -> PathBuf {
        let path = self.directory.path().join("scratch").join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    /// The address of its API.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.child.as_ref().and_then(Child::id).and_then(|id| id.try_into().ok()).expect("it runs")
    }

    /// A command of the binary with this house's configuration, to be run by the test itself.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env_clear().kill_on_drop(true).stdin(Stdio::null());
        let passed_on = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("MIKROCLOUD_"));
        command.envs(passed_on).env("MIKROCLOUD_CONFIG_DIR", self.directory.path().join("config"));
        command
    }

    /// `mikrocloud up` on this house's state.
    pub fn up(&self) -> Command {
        let data = self.data();
        let mut command =
            self.command(&["up", "--data", data.to_str().unwrap(), "--listen", &format!("127.0.0.1:{}", self.port)]);
        // Tests ask more often than people do.
        for limit in ["MIKROCLOUD_RATE_LIMIT", "MIKROCLOUD_ANONYMOUS_RATE_LIMIT", "MIKROCLOUD_SIGN_IN_RATE_LIMIT"] {
            command.env(limit, "0");
        }
        command.env("MIKROCLOUD_SHUTDOWN_SECONDS", "2").envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it, on the state and the port it had before if it ran before, and waits until it is ready.
    pub async fn run(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.up();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.child = Some(child);
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(link) = line.trim().strip_prefix("http://").filter(|rest| rest.contains("/auth/link")) {
                    self.sign_in_link = Some(format!("http://{link}"));
                }
                if let Some(url) = line.strip_prefix("ready ") {
                    self.port = url.rsplit(':').next().unwrap().parse().unwrap();
                    return true;
                }
            }
            false
        };
        let ready = timeout(PATIENCE, ready).await;
        assert!(matches!(ready, Ok(true)), "it did not become ready: {ready:?}\n{}", self.log_tail());
    }

    /// Kills it like a power cut would, and waits until it is gone. What it had started lives on.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.unwrap();
    }

    /// Asks it to stop and waits for it.
    pub async fn terminate(&mut self) -> ExitStatus {
        processes::signal(self.pid(), rustix::process::Signal::TERM);
        let mut child = self.child.take().expect("it runs");
        timeout(PATIENCE, child.wait()).await.expect("it stops when told to").unwrap()
    }

    /// Starts it and kills it after a while, ready or not.
    pub async fn start_and_kill(&mut self, after: Duration) {
        let mut child = self.up().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(after).await;
        child.kill().await.unwrap();
    }

    /// Kills it and starts it again.
    pub async fn crash_and_restart(&mut self) {
        self.kill().await;
        self.run().await;
    }

    /// End of its log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// All that it logged.
    pub fn whole_log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap()
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the log of MikroCloud ---\n{}", self.log_tail());
        }
        let server = self.child.as_ref().and_then(Child::id).and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = server {
            processes::signal(pid, rustix::process::Signal::KILL);
        }
        // Its children are found by the state they work in: no bookkeeping of the server is trusted here.
        processes::kill_all_of(self.directory.path());
    }
}

/// The fixtures that come with the repository.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

impl House {
    /// The artifacts it keeps.
    pub fn artifacts(&self) -> Vec<PathBuf> {
        let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        let groups: Vec<PathBuf> = entries(&self.data().join("artifacts"));
        groups.iter().filter(|group| !group.ends_with("tmp")).flat_map(|group| entries(group)).collect()
    }
}
