//! Output of workloads, on its way to the log store. It never blocks a workload and never needs more than a bounded memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use domain::event::{LogStream, NewLine};
use domain::id::DeploymentId;
use domain::secret::{Mask, Secret};
use tokio::io::AsyncRead;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::cause::cause;
use crate::control::SharedControlPlane;
use crate::process::{LineReader, ProcessTree};

/// Lines that are stored at once.
const BATCH: usize = 100;

/// Maximum time for which a line waits for others.
const BATCH_TIME: Duration = Duration::from_millis(100);

/// Lines that may wait for the log store.
const CAPACITY: usize = 1024;

/// Lines per second and workload beyond which lines are dropped, and how many may come at once.
const RATE: f64 = 2000.0;

/// Stands between a message and the program's last lines.
pub(crate) const LAST_LINES: &str = "; its last lines:\n";

/// Lines that are remembered to explain a failure.
const TAIL: usize = 20;

enum Message {
    Line(NewLine),
    /// Lines begin to be dropped.
    Dropped,
    Flush(oneshot::Sender<()>),
}

/// The way of one workload's lines to the log store.
#[derive(Clone)]
pub(crate) struct LogPipe(Arc<Inner>);

struct Inner {
    sender: mpsc::Sender<Message>,
    dropped: Arc<AtomicU64>,
    bucket: Mutex<Bucket>,
    mask: RwLock<Arc<Mask>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn take(&mut self) -> bool {
        let now = Instant::now();
        self.tokens = (self.tokens + now.duration_since(self.filled).as_secs_f64() * RATE).min(RATE);
        self.filled = now;
        let has = self.tokens >= 1.0;
        if has {
            self.tokens -= 1.0;
        }
        has
    }
}

impl LogPipe {
    /// A pipe for this deployment's lines.
    pub fn new(control: SharedControlPlane, deployment_id: DeploymentId) -> Self {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let dropped = Arc::new(AtomicU64::new(0));
        tokio::spawn(store(receiver, Arc::clone(&dropped), control, deployment_id));
        let bucket = Mutex::new(Bucket { tokens: RATE, filled: Instant::now() });
        Self(Arc::new(Inner { sender, dropped, bucket, mask: RwLock::default() }))
    }

    /// Hides these values in all lines from now on.
    pub fn hide<'a>(&self, secrets: impl IntoIterator<Item = &'a Secret>) {
        *self.0.mask.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Mask::new(secrets));
    }

    /// Adds a line of MikroCloud's own.
    pub fn system(&self, text: impl Into<String>) {
        self.send(NewLine::system(text));
    }

    /// Waits until all lines so far are stored, for as long as `patience`.
    pub async fn flush(&self, patience: Duration) {
        let (done, stored) = oneshot::channel();
        let flush = async {
            if self.0.sender.send(Message::Flush(done)).await.is_ok() {
                let _ = stored.await;
            }
        };
        let _ = timeout(patience, flush).await;
    }

    /// Reads what the tree prints from now on.
    pub fn follow(&self, tree: &mut ProcessTree) -> Output {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let readers = tree.take_output().map(|(stdout, stderr)| {
            [
                tokio::spawn(self.clone().read(stdout, LogStream::Stdout, Arc::clone(&tail))),
                tokio::spawn(self.clone().read(stderr, LogStream::Stderr, Arc::clone(&tail))),
            ]
        });
        Output { tail, readers: readers.into_iter().flatten().collect() }
    }

    async fn read(self, output: impl AsyncRead + Unpin, stream: LogStream, tail: Arc<Mutex<VecDeque<String>>>) {
        let mut lines = LineReader::new(output);
        while let Ok(Some(raw)) = lines.next().await {
            if !self.0.bucket.lock().unwrap_or_else(PoisonError::into_inner).take() {
                self.count_dropped();
                // A flood must leave the other tasks their turn.
                tokio::task::consume_budget().await;
                continue;
            }
            let mask = Arc::clone(&self.0.mask.read().unwrap_or_else(PoisonError::into_inner));
            let mut line = NewLine::from_bytes(stream, &raw);
            line.text = mask.apply(line.text);
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(line.text.clone());
            drop(tail);
            self.send(line);
        }
    }

    fn send(&self, line: NewLine) {
        if self.0.sender.try_send(Message::Line(line)).is_err() {
            self.count_dropped();
        }
    }

    /// The first one wakes who tells of it; when the channel is full, that one is awake.
    fn count_dropped(&self) {
        if self.0.dropped.fetch_add(1, Ordering::SeqCst) == 0 {
            let _ = self.0.sender.try_send(Message::Dropped);
        }
    }
}

/// Output of one process.
pub(crate) struct Output {
    tail: Arc<Mutex<VecDeque<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Output {
    /// The end of a message that explains a failure: what the program says is the cause, then its last lines. Waits a moment for
    /// output that is still on its way after the process ended.
    pub async fn last_lines(&mut self) -> String {
        let deadline = Instant::now() + Duration::from_millis(500);
        for reader in &mut self.readers {
            let _ = timeout_at(deadline, &mut *reader).await;
        }
        self.readers.clear();
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.is_empty() {
            return "; it printed nothing".to_owned();
        }
        let lines: Vec<&str> = tail.iter().map(String::as_str).collect();
        match cause(&lines) {
            Some(cause) if lines.len() == 1 => format!(": {cause}"),
            Some(cause) => format!(": {cause}{LAST_LINES}{}", lines.join("\n")),
            None => format!("{LAST_LINES}{}", lines.join("\n")),
        }
    }
}

/// Stores lines in batches until every sender is gone.
async fn store(mut receiver: mpsc::Receiver<Message>, dropped: Arc<AtomicU64>, control: SharedControlPlane, id: DeploymentId) {
    let mut reported_at = Instant::now();
    loop {
        let some_dropped = dropped.load(Ordering::SeqCst) > 0;
        let next = next_batch(&mut receiver, some_dropped).await;
        let ended = next.is_none();
        let (mut batch, flushed) = next.unwrap_or_default();
        let quiet = batch.is_empty() && flushed.is_empty();
        if some_dropped && (quiet || reported_at.elapsed() > Duration::from_secs(1)) {
            reported_at = Instant::now();
            let count = dropped.swap(0, Ordering::SeqCst);
            batch.push(NewLine::system(format!("{count} lines dropped: the workload prints faster than its log is kept")));
        }
        append(&control, id, batch).await;
        if ended {
            return;
        }
        for done in flushed {
            // Who asked may not wait any longer.
            let _ = done.send(());
        }
    }
}

/// The next lines. When some were dropped, none after a second without any, so that they are told of. `None` at the end.
async fn next_batch(
    receiver: &mut mpsc::Receiver<Message>,
    some_dropped: bool,
) -> Option<(Vec<NewLine>, Vec<oneshot::Sender<()>>)> {
    let (mut lines, mut flushed) = (Vec::new(), Vec::new());
    let mut take = |message| match message {
        Message::Line(line) => lines.push(line),
        Message::Flush(done) => flushed.push(done),
        Message::Dropped => {}
    };
    let first = if some_dropped { timeout(Duration::from_secs(1), receiver.recv()).await } else { Ok(receiver.recv().await) };
    match first {
        Ok(first) => take(first?),
        Err(_) => return Some((lines, flushed)),
    }
    let deadline = Instant::now() + BATCH_TIME;
    for _ in 1..BATCH {
        match timeout_at(deadline, receiver.recv()).await {
            Ok(Some(message)) => {
                let last = matches!(message, Message::Flush(_));
                take(message);
                if last {
                    break;
                }
            }
            _ => break,
        }
    }
    Some((lines, flushed))
}

/// Stores the lines; tries for a while when the store does not answer.
async fn append(control: &SharedControlPlane, id: DeploymentId, lines: Vec<NewLine>) {
    if lines.is_empty() {
        return;
    }
    let mut pause = Duration::from_millis(200);
    for _ in 0..4 {
        match control.append_logs(id, lines.clone()).await {
            Ok(()) => return,
            Err(error) if error.is_retryable() => tracing::debug!(%id, %error, "log lines are not stored yet"),
            Err(error) => {
                tracing::debug!(%id, %error, "log lines are refused");
                return;
            }
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    tracing::warn!(%id, lines = lines.len(), "log lines are lost: the store did not take them");
}
