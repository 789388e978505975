//! Projects that bring a Dockerfile: a container engine builds and runs them.

use super::{DetectError, Project, Reading, Weight, dockerfile, plan};
use crate::build::{BuildPlan, ImageBuild};
use crate::engine::ContainerEngine;
use crate::manifest::Kind;
use crate::workload::WorkloadSpec;

/// The names under which engines look for the file, in their order.
pub const FILES: [&str; 2] = ["Dockerfile", "Containerfile"];

/// A Dockerfile wins over everything that could be detected beside it, as long as an engine answers and the project file does not
/// say how to do without.
#[expect(clippy::unnecessary_wraps, reason = "one form for all detectors")]
pub(super) fn preferred(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    let Some(file) = file(project).filter(|_| project.may_serve() && overrides(project).is_none()) else { return Ok(None) };
    let ContainerEngine::Answers { name } = project.tree.container_engine() else { return Ok(None) };
    Ok(Some(Reading::new(Weight::Stated, image(project, file, &name))))
}

/// Says what stands in the way of a Dockerfile where nothing else was found.
pub(super) fn last(project: &Project<'_>) -> Result<(), DetectError> {
    let Some(file) = file(project).filter(|_| project.may_serve()) else { return Ok(()) };
    match (overrides(project), missing(project)) {
        (_, Some(missing)) => Err(DetectError::new(
            "ENGINE_MISSING",
            format!(
                "a container engine is needed to build the {file}, and none answers: {missing}, or say in mikrocloud.toml how to build \
                 and start the project without it ([build] command, [container] command)"
            ),
        )),
        (Some(key), None) => Err(DetectError::new(
            "MANIFEST_INVALID",
            format!(
                "mikrocloud.toml: {key}: the {file} says how the image is built, and this key is for projects without one: remove it, \
                 or name the program to start with [container] command"
            ),
        )),
        (None, None) => Ok(()),
    }
}

/// Returns the note about a Dockerfile that was ignored for want of an engine, which follows the reason of a plan or an error.
pub(super) fn passed_over(project: &Project<'_>) -> Option<String> {
    let concerned = matches!(project.kind, None | Some(Kind::Container)) && overrides(project).is_none();
    let file = file(project).filter(|_| concerned)?;
    missing(project).map(|_| format!("the {file} is left aside because no container engine answers"))
}

/// The remedy, when no engine answers.
fn missing(project: &Project<'_>) -> Option<String> {
    match project.tree.container_engine() {
        ContainerEngine::Answers { .. } => None,
        ContainerEngine::Missing => Some("install and start Docker or Podman".to_owned()),
        ContainerEngine::Silent { client, reason } => Some(format!(
            "`{client}` is installed, but its engine does not answer ({reason}); start it (for Docker: systemctl start docker) and let \
             MikroCloud's user use it (for Docker: the group docker)"
        )),
    }
}

fn file(project: &Project<'_>) -> Option<&'static str> {
    let is_file = |name: &str| {
        let entries = project.tree.list("");
        project.tree.exists(name) && entries.iter().any(|entry| entry.name == name && !entry.is_directory)
    };
    FILES.into_iter().find(|file| is_file(file))
}

/// The key of the project file that says how to build or start without an image.
fn overrides(project: &Project<'_>) -> Option<&'static str> {
    let build = &project.manifest.build;
    let keys = [
        (project.declared_start().is_some(), "container.command"),
        (build.command.is_some(), "build.command"),
        (build.output.is_some(), "build.output"),
    ];
    keys.into_iter().find(|(given, _)| *given).map(|(_, key)| key)
}

fn image(project: &Project<'_>, file: &str, engine: &str) -> BuildPlan {
    let mut plan = plan::server("Dockerfile", format!("there is {file}, and {engine} answers"), Vec::new(), Vec::new());
    let arguments = dockerfile::arguments(&project.tree.read(file).unwrap_or_default());
    plan.image = Some(ImageBuild { file: file.to_owned(), directory: String::new(), arguments, env: Vec::new() });
    if let WorkloadSpec::Server(server) = &mut plan.workload {
        server.image = Some(crate::workload::Image::default());
    }
    plan
}
