//! Resource use of a build, measured repeatedly.

use std::path::{Path, PathBuf};

use domain::build::BuildLimits;
use tokio::time::{Duration, Instant};
use walkdir::WalkDir;

use crate::process::Members;

/// Interval at which processes and memory are measured, and the minimum interval for the disk.
const SAMPLE: Duration = Duration::from_millis(100);
const DISK_SAMPLE: Duration = Duration::from_secs(1);

/// Space that a build leaves free on the disk for everyone else, bytes.
const FREE_BYTES: u64 = 512 << 20;

/// A limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    Memory,
    Processes,
    Disk,
    /// The machine's disk is nearly full.
    Full,
}

/// Resources that are measured, and their limits.
pub(super) struct Watch {
    pub members: Members,
    pub directories: [PathBuf; 2],
    pub limits: BuildLimits,
}

impl Watch {
    /// Returns once a limit is passed.
    pub async fn passed(self) -> Passed {
        let watch = std::sync::Arc::new(self);
        let mut disk_due = Instant::now();
        loop {
            let with_disk = Instant::now() >= disk_due;
            let started = Instant::now();
            let sampling = std::sync::Arc::clone(&watch);
            if let Ok(Some(passed)) = tokio::task::spawn_blocking(move || sampling.sample(with_disk)).await {
                return passed;
            }
            if with_disk {
                // A large tree takes long to measure: never more than a tenth of the time.
                disk_due = Instant::now() + DISK_SAMPLE.max(started.elapsed() * 10);
            }
            tokio::time::sleep(SAMPLE).await;
        }
    }

    fn sample(&self, with_disk: bool) -> Option<Passed> {
        let usage = self.members.usage();
        if usage.processes > self.limits.processes {
            return Some(Passed::Processes);
        }
        if usage.memory_bytes > self.limits.memory_mib << 20 {
            return Some(Passed::Memory);
        }
        if with_disk { self.disk() } else { None }
    }

    fn disk(&self) -> Option<Passed> {
        let limit = self.limits.disk_mib << 20;
        let [directory, aside] = &self.directories;
        if size(&[directory, aside], limit) > limit {
            return Some(Passed::Disk);
        }
        let disk = rustix::fs::statvfs(directory).ok()?;
        (disk.f_bavail.saturating_mul(disk.f_frsize) < FREE_BYTES).then_some(Passed::Full)
    }
}

/// The bytes that directories take on the disk; counting ends soon after the limit. Links are not followed.
pub(super) fn size(directories: &[&Path], limit: u64) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let files = directories.iter().flat_map(WalkDir::new).filter_map(|entry| entry.ok()?.metadata().ok());
    let mut sum = 0;
    for meta in files {
        // Blocks of 512 bytes, whatever the file system's own are (stat(2)): holes cost nothing, many small files do.
        sum += meta.blocks() * 512;
        if sum > limit {
            break;
        }
    }
    sum
}
