use std::path::PathBuf;

use async_trait::async_trait;
use domain::build::{BuildLimits, BuildPlan};
use domain::engine::ContainerEngine;
use domain::event::NewLine;
use domain::id::{DeploymentId, ProjectId};
use domain::secret::Secret;
use domain::workload::WorkloadSpec;
use tokio_util::sync::CancellationToken;

use crate::CloudError;

/// Takes log lines as they come. Slow sinks slow the build down rather than lose lines.
#[async_trait]
pub trait LogSink: Send + Sync {
    /// Takes some lines, in order.
    async fn write(&self, lines: Vec<NewLine>) -> Result<(), CloudError>;
}

/// One build.
pub struct BuildRequest {
    /// The deployment it is for.
    pub deployment_id: DeploymentId,
    /// The project, whose cache it may use.
    pub project_id: ProjectId,
    /// The source's files. The build may change them.
    pub directory: PathBuf,
    /// Build plan.
    pub plan: BuildPlan,
    /// The environment's variables.
    pub variables: Vec<(String, Secret)>,
    /// Limits of its resources.
    pub limits: BuildLimits,
}

/// Result of a build.
#[derive(Debug)]
pub struct BuildOutcome {
    /// The directory that becomes the artifact.
    pub output: PathBuf,
    /// Workload that it runs as: the plan's, or that of the alternative which the build chose.
    pub workload: WorkloadSpec,
}

/// Runs builds.
#[async_trait]
pub trait Builds: Send + Sync {
    /// Runs the plan's steps within the limits, without MikroCloud's own environment. When `stop` fires, or a limit is passed,
    /// every process of the build is gone before this returns.
    async fn build(&self, request: BuildRequest, log: &dyn LogSink, stop: CancellationToken) -> Result<BuildOutcome, CloudError>;

    /// Returns the container engine that answers on the build machine. Asks it, which may take some seconds.
    async fn container_engine(&self) -> ContainerEngine;

    /// Removes what builds of a project left for the next ones. Removing what is not there is no error.
    async fn forget(&self, project_id: ProjectId) -> Result<(), CloudError>;
}
