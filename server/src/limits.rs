//! What builds and servers may use and take.

use std::time::Duration;

use clap::Args;
use domain::build::BuildLimits;

/// Below the deadlines of the whole phases, so that what ends is the build or the start, with its own message.
const MAX_BUILD_SECONDS: u64 = 1800;
const MAX_START_SECONDS: u64 = 480;

/// The limits that `up` takes.
#[derive(Debug, Clone, Args)]
pub struct LimitOptions {
    /// How long one build may take, in seconds
    #[arg(long, env = "MIKROCLOUD_BUILD_SECONDS", default_value_t = BuildLimits::default().wall_seconds,
        value_parser = clap::value_parser!(u64).range(1..=MAX_BUILD_SECONDS))]
    build_seconds: u64,
    /// The memory that all processes of one build may hold together, in MiB
    #[arg(long, env = "MIKROCLOUD_BUILD_MEMORY_MIB", default_value_t = BuildLimits::default().memory_mib)]
    build_memory_mib: u64,
    /// How much one build may write, in MiB
    #[arg(long, env = "MIKROCLOUD_BUILD_DISK_MIB", default_value_t = BuildLimits::default().disk_mib)]
    build_disk_mib: u64,
    /// How many processes one build may have at once
    #[arg(long, env = "MIKROCLOUD_BUILD_PROCESSES", default_value_t = BuildLimits::default().processes)]
    build_processes: u32,
    /// How long a server may take until it answers its health probe, in seconds
    #[arg(long, env = "MIKROCLOUD_START_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=MAX_START_SECONDS))]
    start_seconds: u64,
}

impl LimitOptions {
    /// What one build may use.
    pub fn of_builds(&self) -> BuildLimits {
        BuildLimits {
            wall_seconds: self.build_seconds,
            memory_mib: self.build_memory_mib,
            disk_mib: self.build_disk_mib,
            processes: self.build_processes,
            ..BuildLimits::default()
        }
    }

    /// How long a server may take until it answers.
    pub fn start_deadline(&self) -> Duration {
        Duration::from_secs(self.start_seconds)
    }
}
