//! The clients of container engines, and how they are asked.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clouds_contract::{CloudError, ErrorKind};
use domain::engine::ContainerEngine;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::client_environment;
use crate::process::{ProcessSpec, ProcessTree, has_program};

/// How long an engine may take to say that it is there. Podman's first answer after a boot takes some seconds.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// How much of a client's output is kept, bytes.
const OUTPUT_BYTES: u64 = 4 << 20;

/// A command line client of a container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Docker's.
    Docker,
    /// Podman's, which is its engine too.
    Podman,
}

impl Client {
    /// All, the one that is tried first before the others.
    pub const ALL: [Self; 2] = [Self::Docker, Self::Podman];

    /// Its program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    /// What only an engine that answers can say: its version.
    pub(super) fn question(self) -> [&'static str; 3] {
        match self {
            Self::Docker => ["version", "--format", "Docker {{.Server.Version}}"],
            Self::Podman => ["info", "--format", "Podman {{.Version.Version}}"],
        }
    }
}

/// The machine's container engine, as one MikroCloud uses it: what it makes there carries its label. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(super) instance: String,
    /// A file that is there once anything was made in an engine: without it, nothing has to be looked for at a start.
    pub(super) used: PathBuf,
    /// Held while an image is loaded or removed.
    images: Arc<Mutex<()>>,
}

/// How a call of a client failed.
#[derive(Debug)]
pub(super) enum CallError {
    /// It could not be started.
    Start(CloudError),
    /// It took too long, seconds.
    TimedOut(u64),
    /// It ended with an error; the text is what it said last.
    Failed(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start(error) => error.fmt(f),
            Self::TimedOut(seconds) => write!(f, "no answer within {seconds} seconds"),
            Self::Failed(said) => f.write_str(said),
        }
    }
}

impl Engine {
    /// The engine for this instance, whose name is unique on the machine and the same after every restart. `used` names a file of
    /// its own, which remembers that there is something to clean up.
    pub fn new(instance: impl Into<String>, used: PathBuf) -> Self {
        Self { instance: instance.into(), used, images: Arc::default() }
    }

    /// One that is only asked whether it is there, from outside of a MikroCloud.
    pub fn for_questions() -> Self {
        Self::new(format!("mikrocloud-question-{}", std::process::id()), PathBuf::from("/dev/null"))
    }

    /// Which engine answers. Asks each installed client, for ten seconds at most.
    pub async fn find(&self) -> ContainerEngine {
        match self.ask().await {
            Ok((_, name)) => ContainerEngine::Answers { name },
            Err(silent) => silent,
        }
    }

    /// The client whose engine answers; `ENGINE_MISSING` or `ENGINE_SILENT` otherwise.
    pub(crate) async fn client(&self) -> Result<Client, CloudError> {
        match self.ask().await {
            Ok((client, _)) => Ok(client),
            Err(ContainerEngine::Silent { client, reason }) => {
                let message = format!("the container engine of `{client}` does not answer ({reason}): start it");
                Err(CloudError::new(ErrorKind::Unavailable, "ENGINE_SILENT", message))
            }
            Err(_) => {
                let message = "this machine has no container engine any more: install and start Docker or Podman";
                Err(CloudError::new(ErrorKind::Unavailable, "ENGINE_MISSING", message))
            }
        }
    }

    async fn ask(&self) -> Result<(Client, String), ContainerEngine> {
        let mut found = ContainerEngine::Missing;
        for client in Client::ALL {
            if !has_program(client.program()) {
                continue;
            }
            match self.call(client, &client.question(), ANSWER_DEADLINE).await {
                Ok(name) => return Ok((client, name.trim().to_owned())),
                Err(error) if found == ContainerEngine::Missing => {
                    found = ContainerEngine::Silent { client: client.program().to_owned(), reason: error.to_string() };
                }
                Err(_) => {}
            }
        }
        Err(found)
    }

    /// Runs a client and returns what it printed.
    pub(super) async fn call(&self, client: Client, arguments: &[&str], deadline: Duration) -> Result<String, CallError> {
        let words = std::iter::once(client.program()).chain(arguments.iter().copied());
        let spec = ProcessSpec {
            command: words.map(str::to_owned).collect(),
            directory: PathBuf::from("/"),
            env: client_environment(),
            marker: self.marker(),
            input: None,
        };
        let mut tree = ProcessTree::spawn(&spec).map_err(CallError::Start)?;
        let output = tree.take_output().map(|(stdout, stderr)| (tokio::spawn(read(stdout)), tokio::spawn(read(stderr))));
        let status = timeout(deadline, tree.wait()).await;
        // Whoever still holds the output's other end is gone then, so that reading ends.
        tree.stop(Duration::ZERO).await;
        let Some((stdout, stderr)) = output else { return Err(CallError::Failed("its output cannot be read".to_owned())) };
        let (stdout, stderr) = (stdout.await.unwrap_or_default(), stderr.await.unwrap_or_default());
        match status {
            Ok(Ok(status)) if status.success() => Ok(stdout),
            Ok(Ok(status)) => Err(CallError::Failed(last_line(&stderr).unwrap_or_else(|| status.to_string()))),
            Ok(Err(error)) => Err(CallError::Failed(error.to_string())),
            Err(_) => Err(CallError::TimedOut(deadline.as_secs())),
        }
    }

    /// The same, for calls whose failure is an error of the cloud: `doing` says what was tried.
    pub(super) async fn require(
        &self,
        client: Client,
        arguments: &[&str],
        deadline: Duration,
        doing: &str,
    ) -> Result<String, CloudError> {
        self.call(client, arguments, deadline).await.map_err(|error| {
            let message = format!("the container engine could not {doing}: {error}");
            CloudError::new(ErrorKind::Unavailable, "ENGINE_FAILED", message)
        })
    }

    /// Waits until nobody else loads or removes an image of this MikroCloud.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.images.lock().await
    }

    /// Remembers that there is something to clean up, before there is.
    pub(crate) async fn mark_used(&self) -> Result<(), CloudError> {
        let mark = async {
            if let Some(parent) = self.used.parent() {
                tokio::fs::create_dir_all(parent).await?;
            }
            tokio::fs::write(&self.used, "").await
        };
        mark.await.map_err(|error: io::Error| CloudError::internal(format!("{} cannot be written", self.used.display()), error))
    }

    /// Another for each call: by it a client and its children are told from others. It begins as those of the edge do, so that
    /// what a killed MikroCloud left is found.
    fn marker(&self) -> String {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        format!("{}:edge:engine:{}", self.instance, CALLS.fetch_add(1, Ordering::Relaxed))
    }
}

/// The text of an output, of which what is beyond the limit is thrown away.
async fn read(mut output: impl AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    let _ = (&mut output).take(OUTPUT_BYTES).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last line that says something, without control characters, short enough for a message.
fn last_line(text: &str) -> Option<String> {
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("See '"))?;
    Some(line.chars().filter(|c| !c.is_control()).take(300).collect())
}
