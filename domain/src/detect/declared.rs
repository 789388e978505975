//! Projects of which only the project file says what they are.

use super::{DetectError, Project, plan};
use crate::build::BuildPlan;

/// Files in the directory that the project file names.
#[expect(clippy::unnecessary_wraps, reason = "one form for all detectors")]
pub(super) fn site(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let output = project.manifest.build.output.as_deref();
    Ok(output.map(|output| plan::site("Files", "mikrocloud.toml names the directory", Vec::new(), output)))
}

/// A program that the project file names.
#[expect(clippy::unnecessary_wraps, reason = "one form for all detectors")]
pub(super) fn server(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let start = project.start.clone();
    Ok(start.map(|start| plan::server("Server", "mikrocloud.toml names the program", Vec::new(), start)))
}
