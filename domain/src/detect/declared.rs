//! Projects of which only the project file says what they are, and those that need a container engine.

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

/// A Dockerfile, for which no container engine is there.
pub(super) fn dockerfile(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    match ["Dockerfile", "Containerfile"].into_iter().find(|file| project.tree.exists(file)) {
        None => Ok(None),
        Some(file) => Err(DetectError::new(
            "ENGINE_MISSING",
            format!(
                "a container engine is needed to build the {file}, and none answers: install and start Docker or Podman, or say in \
                 mikrocloud.toml how to build and start the project without it ([build] command, [container] command)"
            ),
        )),
    }
}
