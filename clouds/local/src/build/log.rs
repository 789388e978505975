//! The log of a build on its way to where it is stored: masked, in batches, bounded.

use std::collections::VecDeque;

use clouds_contract::{BuildRequest, CloudError, LogSink};
use domain::event::{LogStream, NewLine};
use domain::secret::Mask;
use tokio::time::{Duration, Instant};

/// Number of lines that are stored at once, and the maximum waiting time of the first of them.
const BATCH_LINES: usize = 100;
const BATCH_WAIT: Duration = Duration::from_millis(100);

/// Number of last lines that an error repeats.
const LAST_LINES: usize = 8;

pub(super) struct Log<'a> {
    sink: &'a dyn LogSink,
    mask: Mask,
    batch: Vec<NewLine>,
    waits_since: Option<Instant>,
    left_bytes: u64,
    limit_mib: u64,
    dropped: u64,
    last: VecDeque<String>,
}

impl<'a> Log<'a> {
    pub fn new(sink: &'a dyn LogSink, request: &BuildRequest) -> Self {
        let limit_mib = request.limits.log_mib;
        Self {
            sink,
            mask: Mask::new(request.variables.iter().map(|(_, value)| value)),
            batch: Vec::new(),
            waits_since: None,
            left_bytes: limit_mib << 20,
            limit_mib,
            dropped: 0,
            last: VecDeque::new(),
        }
    }

    /// Returns the time at which waiting lines are due to be stored; `None` if none wait.
    pub fn due(&self) -> Option<Instant> {
        self.waits_since.map(|since| since + BATCH_WAIT)
    }

    /// Takes a line that the build printed.
    pub async fn output(&mut self, raw: &[u8]) -> Result<(), CloudError> {
        let mut line = NewLine::from_bytes(LogStream::Build, raw);
        line.text = self.mask.apply(line.text);
        if !line.text.trim().is_empty() {
            if self.last.len() == LAST_LINES {
                self.last.pop_front();
            }
            self.last.push_back(line.text.clone());
        }
        // A line costs its row, too.
        let bytes = line.text.len() as u64 + 32;
        if self.left_bytes < bytes {
            self.left_bytes = 0;
            self.dropped += 1;
            return Ok(());
        }
        self.left_bytes -= bytes;
        self.push(line).await
    }

    /// Takes a line of our own. It is never dropped.
    pub async fn system(&mut self, text: String) -> Result<(), CloudError> {
        let text = self.mask.apply(text);
        self.push(NewLine::system(text)).await
    }

    /// Stores what waits.
    pub async fn flush(&mut self) -> Result<(), CloudError> {
        self.waits_since = None;
        if self.batch.is_empty() { Ok(()) } else { self.sink.write(std::mem::take(&mut self.batch)).await }
    }

    /// Stores the rest, and says how much was dropped.
    pub async fn finish(mut self) -> Result<(), CloudError> {
        if self.dropped > 0 {
            let text =
                format!("{} more lines were dropped: the log of a build is limited to {} MiB", self.dropped, self.limit_mib);
            self.batch.push(NewLine::system(text));
        }
        self.flush().await
    }

    /// The last lines, to be shown with an error.
    pub fn last_lines(&self) -> String {
        let lines: Vec<String> = self.last.iter().map(|line| line.chars().take(300).collect()).collect();
        lines.join("\n")
    }

    /// Forgets the last lines, so that a new step's error does not repeat them.
    pub fn forget_last_lines(&mut self) {
        self.last.clear();
    }

    async fn push(&mut self, line: NewLine) -> Result<(), CloudError> {
        self.batch.push(line);
        self.waits_since.get_or_insert_with(Instant::now);
        if self.batch.len() >= BATCH_LINES { self.flush().await } else { Ok(()) }
    }
}
