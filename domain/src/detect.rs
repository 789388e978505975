//! From a project's files to a build plan. Pure: files are seen through [`SourceTree`].
//!
//! The order is: what `mikrocloud.toml` says, a Dockerfile where a container engine answers, functions, Node, Python, Go, Rust, a
//! site of plain files. What the project file names overrides what was found, part by part.

mod container;
mod declared;
mod dockerfile;
mod foreign;
mod framework;
mod functions;
mod go;
mod node;
mod package;
mod plan;
mod python;
mod python_start;
mod rust;
mod site;
#[cfg(test)]
mod tests;

pub use container::FILES as DOCKERFILES;

use crate::build::BuildPlan;
use crate::engine::ContainerEngine;
use crate::manifest::{Kind, Manifest, split_command};

/// A project's files, as detection sees them. Paths are relative to the project, with `/`.
pub trait SourceTree {
    /// The text of a file of up to 1 MiB; `None` when it is not there, not text, or larger.
    fn read(&self, path: &str) -> Option<String>;
    /// Returns true if there is a file or a directory at the path.
    fn exists(&self, path: &str) -> bool;
    /// Lists a directory, sorted by name; empty if it does not exist. The empty path is the project itself.
    fn list(&self, directory: &str) -> Vec<Entry>;
    /// Returns true if the build machine has this program.
    fn has_program(&self, name: &str) -> bool;
    /// Returns the state of the build machine's container engine. Called only for projects that have a Dockerfile.
    fn container_engine(&self) -> ContainerEngine;
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Marks a directory.
    pub is_directory: bool,
}

/// Reason for which there is no plan: a stable code for programs, a message with the remedy for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DetectError {
    /// Stable, in capitals, such as `NOTHING_DETECTED`.
    pub code: &'static str,
    /// Description of the missing files, with a remedy.
    pub message: String,
}

impl DetectError {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A project as the detectors see it.
struct Project<'a> {
    tree: &'a dyn SourceTree,
    manifest: &'a Manifest,
    /// Kind of the project, if the project file states or implies it.
    kind: Option<Kind>,
    /// The program its server is started with, when the project file names it.
    start: Option<Vec<String>>,
}

type Detector = fn(&Project<'_>) -> Result<Option<BuildPlan>, DetectError>;

const ANY: &[Detector] = &[
    container::preferred,
    functions::detect,
    node::detect,
    python::detect,
    go::detect,
    rust::detect,
    site::with_index,
    declared::site,
    container::last,
    site::with_any_page,
];
const STATIC: &[Detector] = &[node::detect, site::with_index, declared::site, site::with_any_page];
const FUNCTION: &[Detector] = &[functions::detect];
const CONTAINER: &[Detector] =
    &[container::preferred, node::detect, python::detect, go::detect, rust::detect, declared::server, container::last];

/// Finds out how a project is built and what it is run as.
pub fn detect(tree: &dyn SourceTree, manifest: &Manifest) -> Result<BuildPlan, DetectError> {
    let start = manifest.container.as_ref().and_then(|container| container.command.as_deref());
    let start = start.map(|command| words(command, "container.command")).transpose()?;
    let implied = match (&manifest.container, &manifest.functions) {
        (Some(_), _) => Some(Kind::Container),
        (None, Some(_)) => Some(Kind::Function),
        (None, None) => None,
    };
    let project = Project { tree, manifest, kind: manifest.project.kind.or(implied), start };
    let detectors = match project.kind {
        None => ANY,
        Some(Kind::Static) => STATIC,
        Some(Kind::Function) => FUNCTION,
        Some(Kind::Container) => CONTAINER,
    };
    match first(detectors, &project) {
        Ok(mut plan) => {
            if let Some(note) = container::passed_over(&project) {
                plan.reason = format!("{}; {note}", plan.reason);
            }
            Ok(plan)
        }
        Err(error) if error.code == "ENGINE_MISSING" => Err(error),
        Err(error) => Err(match container::passed_over(&project) {
            Some(note) => DetectError::new(error.code, format!("{} ({note})", error.message)),
            None => error,
        }),
    }
}

/// The plan of the first detector that finds what it looks for.
fn first(detectors: &[Detector], project: &Project<'_>) -> Result<BuildPlan, DetectError> {
    for detector in detectors {
        if let Some(plan) = detector(project)? {
            foreign::check(project, &plan)?;
            return plan::finish(project, plan);
        }
    }
    let foreign = if matches!(project.kind, None | Some(Kind::Static)) { foreign::marked(project) } else { None };
    Err(foreign.unwrap_or_else(|| nothing(project.kind)))
}

fn nothing(kind: Option<Kind>) -> DetectError {
    let message = match kind {
        None => {
            "nothing that can be built was found. Looked for functions/, package.json, requirements.txt, pyproject.toml, go.mod, Cargo.toml, \
             Dockerfile and .html files. Say what it is in mikrocloud.toml: [build] output = \"site\" for a directory of files, or \
             [container] command = \"./server --port $PORT\" for a program"
        }
        Some(Kind::Static) => {
            "mikrocloud.toml says that this is a static site, but there is no frontend build in package.json and no .html file: name the \
             directory of files with [build] output = \"site\""
        }
        Some(Kind::Function) => {
            "mikrocloud.toml says that this has functions, but there is no .js, .mjs or .py file in the functions directory: add one, or \
             name the directory with [functions] directory = \"...\""
        }
        Some(Kind::Container) => {
            "mikrocloud.toml says that this is a server, but no way to start it was found in package.json, Procfile, Python files, go.mod \
             or Cargo.toml: name it with [container] command = \"./server --port $PORT\""
        }
    };
    DetectError::new("NOTHING_DETECTED", message)
}

/// Splits a command of the project file.
fn words(command: &str, key: &str) -> Result<Vec<String>, DetectError> {
    split_command(command).map_err(|reason| DetectError::new("MANIFEST_INVALID", format!("mikrocloud.toml: {key}: {reason}")))
}
