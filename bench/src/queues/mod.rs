//! Job queues: how many jobs a second are done from a backlog, and how long a job waits for its start when workers are idle. The same no-op
//! job, the same number of worker processes with the same concurrency, each queue on fresh servers.

mod contender;
pub mod ours;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::process::{self, Running};
use crate::report::{Goal, Report};
use contender::{Contender, Servers};

/// Jobs in the backlog.
const BACKLOG: i64 = 20_000;
/// Jobs that come one after the other, every 5 ms.
const PACED: i64 = 2000;
/// Number of jobs that a worker process runs concurrently.
const CONCURRENCY: &str = "16";
/// Timeout of every step.
const PATIENCE: Duration = Duration::from_mins(5);

/// Contenders that a queue is measured against, each with an indication of a goal.
const OTHERS: [(Contender, bool); 3] =
    [(Contender::Graphile { batch: 0 }, true), (Contender::Graphile { batch: 500 }, false), (Contender::Bullmq, false)];

/// Measurements of a queue.
struct Figures {
    /// Jobs done a second.
    throughput: f64,
    /// Waiting times of jobs, from just before they were enqueued until their handler began, sorted, microseconds.
    waits: Vec<u64>,
}

impl Figures {
    /// The wait that so many percent of the jobs did not exceed, milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn percentile(&self, percent: usize) -> f64 {
        let place = (self.waits.len() * percent).div_ceil(100).saturating_sub(1);
        self.waits.get(place).map_or(0.0, |micros| *micros as f64 / 1000.0)
    }
}

/// Measures with one worker process and with three.
pub async fn measure(report: &mut Report) -> Result<()> {
    for (workers, done, started) in [
        (1, "jobs done from a backlog, 1 worker", "enqueue to start, 1 worker: p99"),
        (3, "jobs done from a backlog, 3 workers", "enqueue to start, 3 workers: p99"),
    ] {
        let ours = figures(Contender::Mikrocloud, workers).await?;
        for (other, has_goal) in OTHERS {
            let theirs = figures(other, workers).await?;
            let (least, most) = if has_goal { (Goal::AtLeast(1.0), Goal::AtMost(1.0)) } else { (Goal::None, Goal::None) };
            let shown = |figures: &Figures| format!("{:.0}/s", figures.throughput);
            let baseline = format!("{}: {}", other.name(), shown(&theirs));
            report.add(done, shown(&ours), baseline, ours.throughput / theirs.throughput, least);
            let shown = |figures: &Figures| format!("{:.1} ms (p50 {:.1})", figures.percentile(99), figures.percentile(50));
            let baseline = format!("{}: {}", other.name(), shown(&theirs));
            report.add(started, shown(&ours), baseline, ours.percentile(99) / theirs.percentile(99), most);
        }
    }
    Ok(())
}

async fn figures(queue: Contender, workers: usize) -> Result<Figures> {
    let servers = Servers::start()?;
    run(queue.command(&servers, "fill", &[&BACKLOG.to_string()])?).await?;
    let crew = Crew::start(queue, &servers, workers).await?;
    // From a tenth on, so that the start of the workers does not count.
    let (first, begun) = until_left(queue, &servers, BACKLOG * 9 / 10).await?;
    let (last, ended) = until_left(queue, &servers, 0).await?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let throughput = (first - last) as f64 / (ended - begun).as_secs_f64();
    crew.stop()?;

    let crew = Crew::start(queue, &servers, workers).await?;
    run(queue.command(&servers, "pace", &[&PACED.to_string()])?).await?;
    until_left(queue, &servers, 0).await?;
    let mut waits = crew.stop()?;
    waits.sort_unstable();
    ensure!(i64::try_from(waits.len())? == PACED, "{}: {} of {PACED} jobs ran", queue.name(), waits.len());
    Ok(Figures { throughput, waits })
}

/// Waits until no more than so many jobs are left, and returns how many there were when.
async fn until_left(queue: Contender, servers: &Servers, left: i64) -> Result<(i64, Instant)> {
    let started = Instant::now();
    loop {
        let now = queue.left(servers).await?;
        if now <= left {
            return Ok((now, Instant::now()));
        }
        ensure!(started.elapsed() < PATIENCE, "{}: {now} jobs are left", queue.name());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The worker processes of a queue.
struct Crew {
    workers: Vec<Running>,
    /// Directory to which they write the waiting times of their jobs.
    directory: TempDir,
}

impl Crew {
    async fn start(queue: Contender, servers: &Servers, count: usize) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut workers = Vec::new();
        for number in 0..count {
            let file = directory.path().join(number.to_string());
            let mut command = queue.command(servers, "work", &[&file.to_string_lossy(), CONCURRENCY])?;
            workers.push(tokio::task::spawn_blocking(move || Running::until_ready(&mut command)).await??.0);
        }
        Ok(Self { workers, directory })
    }

    /// Ends them and returns how long their jobs waited.
    fn stop(self) -> Result<Vec<u64>> {
        let files: Vec<PathBuf> = (0..self.workers.len()).map(|number| self.directory.path().join(number.to_string())).collect();
        // Each is asked to end and waited for.
        drop(self.workers);
        let mut all = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(&file).context("a worker did not say how long its jobs waited")?;
            all.extend(serde_json::from_str::<Vec<u64>>(&text)?);
        }
        Ok(all)
    }
}

async fn run(mut command: Command) -> Result<()> {
    command.stderr(Stdio::inherit());
    tokio::task::spawn_blocking(move || process::run(&mut command)).await??;
    Ok(())
}
