//! Time from `mikrocloud deploy` to live, against a clone and a copy.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::process::run;
use crate::report::{Goal, Report};
use crate::server::Mikrocloud;

const ROUNDS: usize = 9;

/// Deploys a small static site again and again, each time with other content, and clones and copies it in between.
pub fn measure(server: &Mikrocloud, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let site = Site::new(&directory.path().join("site"))?;
    let (mut clones, mut directories, mut repositories) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        site.change(round)?;
        let target = directory.path().join(format!("round-{round}"));
        clones.push(timed(|| site.clone_and_copy(&target))?);
        directories.push(timed(|| server.deploy(&site.path(), "bench-directory").map(drop))?);
        repositories.push(timed(|| server.deploy(&format!("file://{}", site.path()), "bench-repository").map(drop))?);
    }
    let clone = median(clones);
    for (what, time) in
        [("deploy a directory until live", median(directories)), ("deploy a repository until live", median(repositories))]
    {
        let ratio = time.as_secs_f64() / clone.as_secs_f64();
        report.add(what, millis(time), format!("git clone + cp -r: {}", millis(clone)), ratio, Goal::None);
    }
    Ok(())
}

struct Site {
    path: PathBuf,
}

impl Site {
    /// The static fixture as a repository.
    fn new(path: &Path) -> Result<Self> {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/static");
        run(Command::new("cp").arg("-r").arg(fixture).arg(path))?;
        let site = Self { path: path.to_owned() };
        site.git(&["init", "--quiet", "--initial-branch", "main"])?;
        Ok(site)
    }

    fn path(&self) -> String {
        self.path.display().to_string()
    }

    fn change(&self, round: usize) -> Result<()> {
        std::fs::write(self.path.join("round.html"), format!("<!doctype html><title>{round}</title>"))?;
        self.git(&["add", "--all"])?;
        self.git(&["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message", "round"])
    }

    fn git(&self, arguments: &[&str]) -> Result<()> {
        run(Command::new("git").arg("-C").arg(&self.path).args(arguments)).map(drop)
    }

    fn clone_and_copy(&self, target: &Path) -> Result<()> {
        let clone = target.with_extension("clone");
        run(Command::new("git").args(["clone", "--quiet"]).arg(format!("file://{}", self.path())).arg(&clone))?;
        run(Command::new("cp").arg("-r").arg(&clone).arg(target)).map(drop)
    }
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    work().context("a round failed")?;
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
