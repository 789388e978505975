//! Events of a deployment, numbered without gaps, and its log lines, numbered likewise.

use serde::{Deserialize, Serialize};

use crate::deployment::DeploymentStatus;
use crate::id::{DeploymentId, EnvironmentId, ProjectId};
use crate::time::Timestamp;

/// One step in a deployment's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct DeploymentEvent {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// Counts the deployment's events from 1 without gaps.
    pub number: i64,
    /// The project.
    pub project_id: ProjectId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Counts the events of all the project's deployments from 1 without gaps.
    pub project_number: i64,
    /// The status after the event.
    pub status: DeploymentStatus,
    /// Description of the event, for people.
    pub message: String,
    /// Time of the event.
    pub at: Timestamp,
}

/// Origin of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum LogStream {
    /// MikroCloud itself, about the deployment.
    System,
    /// The build's output.
    Build,
    /// Standard output of what runs.
    Stdout,
    /// Standard error of what runs.
    Stderr,
}

impl LogStream {
    /// The name used in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Build => "build",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The longest line that is kept, in bytes; the rest of a longer one is cut off and said to be.
pub const MAX_LINE_BYTES: usize = 8 * 1024;

/// One line of a deployment's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct LogLine {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// Counts the deployment's lines from 1 without gaps.
    pub number: i64,
    /// Origin of the line.
    pub stream: LogStream,
    /// The text, without its line end, secrets masked.
    pub text: String,
    /// Time at which the line was read.
    pub at: Timestamp,
}

/// A log line that has no number yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    /// Origin of the line.
    pub stream: LogStream,
    /// The text, without its line end.
    pub text: String,
}

impl NewLine {
    /// A line from raw output: not UTF-8 becomes U+FFFD, control characters that would move a terminal's cursor and NUL
    /// (which `PostgreSQL` refuses) go, too long is cut.
    pub fn from_bytes(stream: LogStream, raw: &[u8]) -> Self {
        let cut = raw.len() > MAX_LINE_BYTES;
        let text = String::from_utf8_lossy(&raw[..raw.len().min(MAX_LINE_BYTES)]);
        // A carriage return redraws a line (progress bars): what stands after the last one is what a terminal shows.
        let text = text.trim_end_matches(['\r', '\n']);
        let shown = text.rsplit('\r').next().unwrap_or(text);
        let mut text: String = shown.chars().filter(|c| *c == '\t' || *c == '\u{1b}' || !c.is_control()).collect();
        if cut {
            text.push_str(" ... (line cut)");
        }
        Self { stream, text }
    }

    /// A line of MikroCloud's own.
    pub fn system(text: impl Into<String>) -> Self {
        Self { stream: LogStream::System, text: text.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn progress_bars_binary_and_long_lines_become_one_clean_line() {
        let text = |raw: &[u8]| NewLine::from_bytes(LogStream::Build, raw).text;
        assert_eq!(text(b"10%\r50%\r100%\r\n"), "100%");
        assert_eq!(text(b"a\0b\xff"), "ab\u{fffd}");
        assert!(text(&vec![b'x'; 1 << 20]).ends_with("(line cut)"));
    }

    proptest! {
        #[test]
        fn any_bytes_become_a_line_both_databases_take(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
            let line = NewLine::from_bytes(LogStream::Stdout, &raw);
            prop_assert!(!line.text.contains(['\0', '\n', '\r']));
        }
    }
}
