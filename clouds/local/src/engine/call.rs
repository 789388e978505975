//! Calls of an engine's client that are over soon.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clouds_contract::{CloudError, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Client, Engine, client_environment};
use crate::process::{Pipe, ProcessSpec, ProcessTree};

/// Maximum size of a client's stored output, bytes.
const OUTPUT_BYTES: u64 = 4 << 20;

/// Reason for which a call of a client failed.
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
        let ended = CancellationToken::new();
        let output = tree.take_output().map(|(stdout, stderr)| {
            (tokio::spawn(read(Pipe::new(stdout, ended.clone()))), tokio::spawn(read(Pipe::new(stderr, ended.clone()))))
        });
        let status = timeout(deadline, tree.wait()).await;
        // Whoever of the tree still holds the output's other end is gone then, so that reading ends.
        tree.stop(Duration::ZERO).await;
        ended.cancel();
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
