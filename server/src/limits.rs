//! Limits of builds and servers.

use std::time::Duration;

use clap::Args;
use domain::build::BuildLimits;

/// Below the deadlines of the whole phases, so that what ends is the build or the start, with its own message.
const MAX_BUILD_SECONDS: u64 = 1800;
const MAX_START_SECONDS: u64 = 480;

/// The limits that `up` takes.
#[derive(Debug, Clone, Args)]
pub struct LimitOptions {
    /// Timeout of one build, in seconds
    #[arg(long, env = "MIKROCLOUD_BUILD_SECONDS", default_value_t = BuildLimits::default().wall_seconds,
        value_parser = clap::value_parser!(u64).range(1..=MAX_BUILD_SECONDS))]
    build_seconds: u64,
    /// The memory that all processes of one build may hold together, in MiB
    #[arg(long, env = "MIKROCLOUD_BUILD_MEMORY_MIB", default_value_t = BuildLimits::default().memory_mib)]
    build_memory_mib: u64,
    /// Maximum disk use of one build, in MiB
    #[arg(long, env = "MIKROCLOUD_BUILD_DISK_MIB", default_value_t = BuildLimits::default().disk_mib)]
    build_disk_mib: u64,
    /// Maximum number of concurrent processes of one build
    #[arg(long, env = "MIKROCLOUD_BUILD_PROCESSES", default_value_t = BuildLimits::default().processes)]
    build_processes: u32,
    /// Time within which a server has to answer its health probe, in seconds
    #[arg(long, env = "MIKROCLOUD_START_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=MAX_START_SECONDS))]
    start_seconds: u64,
}

impl LimitOptions {
    /// Returns the limits of one build.
    pub fn of_builds(&self) -> BuildLimits {
        BuildLimits {
            wall_seconds: self.build_seconds,
            memory_mib: self.build_memory_mib,
            disk_mib: self.build_disk_mib,
            processes: self.build_processes,
            ..BuildLimits::default()
        }
    }

    /// Returns the time within which a server has to answer.
    pub fn start_deadline(&self) -> Duration {
        Duration::from_secs(self.start_seconds)
    }
}
