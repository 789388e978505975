//! Plan of the build that turns a source into an artifact.

use serde::{Deserialize, Serialize};

use crate::workload::WorkloadSpec;

/// Plan of a build and its result. Made by [`crate::detect`], run by a cloud's builder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildPlan {
    /// The framework, as people call it, such as `Vite`.
    pub framework: String,
    /// File or entry that led to the plan, such as "package.json lists `vite`".
    pub reason: String,
    /// Remarks for the log: decisions that the project's owner may want to take differently, with the way to do so.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Files that are added to the source before the first step.
    #[serde(default)]
    pub files: Vec<AddedFile>,
    /// Directories of the project's own programs, relative to the source's, that come before the machine's in every step.
    #[serde(default)]
    pub path: Vec<String>,
    /// Programs to run, in order.
    pub steps: Vec<BuildStep>,
    /// The container image to build instead; its archive becomes the artifact then.
    pub image: Option<ImageBuild>,
    /// The directory that becomes the artifact, relative to the source's; empty for the whole.
    pub output: String,
    /// Marks an output that is a guess: where the build leaves no page in it, the other directories that it made are looked through.
    #[serde(default)]
    pub is_guess: bool,
    /// Workload that the artifact runs as.
    pub workload: WorkloadSpec,
    /// Results that the build may leave instead, in order of precedence.
    #[serde(default)]
    pub alternatives: Vec<Alternative>,
}

/// A file that is added to the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedFile {
    /// Its path, relative to the source's directory.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A result that only the build decides on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// The file that shows it, relative to the source's directory; one that was there before the build does not count.
    pub evidence: String,
    /// The directory that becomes the artifact then.
    pub output: String,
    /// Workload that the artifact runs as then.
    pub workload: WorkloadSpec,
}

/// One program of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildStep {
    /// The program and its arguments. No shell sees this.
    pub command: Vec<String>,
    /// Variables for this program alone.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// Working directory, relative to the source's; empty for that itself.
    #[serde(default)]
    pub directory: String,
}

/// A container image to be built from the source's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageBuild {
    /// The file with the instructions, such as `Dockerfile`, relative to the directory.
    pub file: String,
    /// The directory that the instructions see, relative to the source's; empty for that itself.
    #[serde(default)]
    pub directory: String,
    /// The names that it declares with `ARG`: no other variable is handed to the build.
    pub arguments: Vec<String>,
    /// Variables of the project file; the environment's own win over them.
    #[serde(default)]
    pub env: Vec<(String, String)>,
}

/// Limits of a build's resources. A build that exceeds them is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildLimits {
    /// Wall time of all steps together, seconds.
    pub wall_seconds: u64,
    /// Memory of all its processes together, MiB.
    pub memory_mib: u64,
    /// Maximum number of concurrent processes.
    pub processes: u32,
    /// Size of its directory, MiB.
    pub disk_mib: u64,
    /// Size of the artifact, MiB.
    pub output_mib: u64,
    /// Files in the artifact.
    pub output_files: u64,
    /// Maximum size of its stored log, MiB.
    pub log_mib: u64,
}

impl Default for BuildLimits {
    fn default() -> Self {
        Self {
            wall_seconds: 900,
            memory_mib: 4096,
            processes: 512,
            disk_mib: 8192,
            output_mib: 2048,
            output_files: 200_000,
            log_mib: 8,
        }
    }
}
