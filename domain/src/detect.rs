//! From a project's files to a build plan. Pure: files are seen through [`SourceTree`].
//!
//! Each detector reads the project for its language alone and weighs what it found; the heaviest reading wins, and of equal ones
//! that of the first detector. What the project itself says (`mikrocloud.toml`, a Procfile, scripts, lock files, versions) comes
//! before what is guessed, and `mikrocloud.toml` overrides what was found, part by part.

mod container;
mod declared;
mod deno;
mod directory;
mod dockerfile;
mod foreign;
mod framework;
mod functions;
mod generators;
mod go;
mod java;
mod node;
mod nothing;
mod package;
mod package_manager;
mod php;
mod plan;
mod procfile;
mod python;
mod python_lists;
mod python_start;
mod ruby;
mod rust;
mod scripts;
mod site;
#[cfg(test)]
mod tests;
mod versions;

pub use container::FILES as DOCKERFILES;

use crate::build::BuildPlan;
use crate::engine::ContainerEngine;
use crate::manifest::{FILE_NAME, Kind, Manifest, ManifestError, split_command};

/// A project's files, as detection sees them. Paths are relative to the project, with `/`.
pub trait SourceTree {
    /// The text of a file of up to 1 MiB, whatever its encoding; `None` when it is not there, not text, or larger.
    fn read(&self, path: &str) -> Option<String>;
    /// Returns true if there is a file or a directory at the path.
    fn exists(&self, path: &str) -> bool;
    /// Lists a directory, sorted by name; empty if it does not exist. The empty path is the project itself.
    fn list(&self, directory: &str) -> Vec<Entry>;
    /// Returns true if the build machine has this program.
    fn has_program(&self, name: &str) -> bool;
    /// Returns the version that a program of the build machine has, such as `20.11.1`; `None` when it is not there or does not say.
    fn version(&self, program: &str) -> Option<String>;
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
    /// The program its server is started with, when the project file or a Procfile names it.
    start: Option<Start>,
    /// Programs that a Procfile wants to run before a release.
    release: Option<Vec<String>>,
}

/// A start command that the project states.
#[derive(Debug, Clone)]
struct Start {
    command: Vec<String>,
    /// The file that states it.
    file: &'static str,
}

impl Project<'_> {
    fn may_serve(&self) -> bool {
        matches!(self.kind, None | Some(Kind::Container))
    }

    fn may_be_site(&self) -> bool {
        matches!(self.kind, None | Some(Kind::Static))
    }

    /// The start command of the project file, which also says that nothing else is to be looked for.
    fn declared_start(&self) -> Option<&Start> {
        self.start.as_ref().filter(|start| start.file == FILE_NAME)
    }
}

/// Weight of the evidence for a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Some page.
    Page,
    /// A program that only its file's name makes a server.
    Script,
    /// A page with the name of a site's first one.
    Index,
    /// A build of which nobody knows the result.
    Build,
    /// A build whose result is a site.
    Site,
    /// A server, by its framework or by what the project says.
    Server,
    /// The project file names it, or nothing else may be looked for.
    Stated,
}

/// A plan, and the weight of what speaks for it.
#[derive(Debug)]
struct Reading {
    weight: Weight,
    plan: BuildPlan,
}

impl Reading {
    fn new(weight: Weight, plan: BuildPlan) -> Self {
        Self { weight, plan }
    }
}

type Detector = fn(&Project<'_>) -> Result<Option<Reading>, DetectError>;

const DETECTORS: &[Detector] = &[
    container::preferred,
    functions::detect,
    node::detect,
    deno::detect,
    python::detect,
    go::detect,
    rust::detect,
    php::detect,
    ruby::detect,
    java::detect,
    generators::detect,
    site::detect,
    declared::detect,
];

/// Finds out how a project is built and what it is run as. `manifest` is its project file, see [`read_manifest`].
pub fn detect(tree: &dyn SourceTree, manifest: &Manifest) -> Result<BuildPlan, DetectError> {
    match manifest.build.directory.as_deref().map(plan::clean).filter(|directory| !directory.is_empty()) {
        Some(directory) => directory::detect(tree, manifest, &directory),
        None => detect_at_root(tree, manifest),
    }
}

/// Reads the project file: the one of the directory that is built, where that has its own. `directory` is the one that was asked for.
pub fn read_manifest(tree: &dyn SourceTree, directory: Option<&str>) -> Result<Manifest, ManifestError> {
    directory::manifest(tree, directory)
}

fn detect_at_root(tree: &dyn SourceTree, manifest: &Manifest) -> Result<BuildPlan, DetectError> {
    let implied = match (&manifest.container, &manifest.functions) {
        (Some(_), _) => Some(Kind::Container),
        (None, Some(_)) => Some(Kind::Function),
        (None, None) => None,
    };
    let mut project = Project { tree, manifest, kind: manifest.project.kind.or(implied), start: None, release: None };
    let stated = manifest.container.as_ref().and_then(|container| container.command.as_deref());
    project.start = match stated {
        Some(command) => Some(Start { command: words(command, "container.command")?, file: FILE_NAME }),
        None if project.may_serve() => procfile::command(tree, "web").map(|command| Start { command, file: procfile::FILE }),
        None => None,
    };
    project.release = procfile::command(tree, "release");
    match heaviest(&project) {
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

/// Codes of errors about one language that another reading of the project may do without.
const OBSTACLES: &[&str] = &["START_UNKNOWN", "ADAPTER_MISSING", "TOOLCHAIN_MISSING", "UNSUPPORTED"];

/// The plan of the heaviest reading.
fn heaviest(project: &Project<'_>) -> Result<BuildPlan, DetectError> {
    let mut best: Option<Reading> = None;
    let mut obstacle: Option<DetectError> = None;
    for detector in DETECTORS {
        match detector(project) {
            Ok(Some(reading)) if best.as_ref().is_none_or(|best| reading.weight > best.weight) => best = Some(reading),
            Ok(_) => {}
            Err(error) if OBSTACLES.contains(&error.code) => obstacle = obstacle.or(Some(error)),
            Err(error) => return Err(error),
        }
        if best.as_ref().is_some_and(|best| best.weight == Weight::Stated) {
            break;
        }
    }
    // A page beside a Dockerfile, or beside the source of a server, is no site.
    if best.as_ref().is_some_and(|best| best.weight == Weight::Page) && project.manifest.build.output.is_none() {
        container::last(project)?;
    }
    match (best, obstacle) {
        (Some(reading), Some(obstacle)) if reading.weight <= Weight::Build && project.manifest.build.output.is_none() => {
            Err(obstacle)
        }
        (Some(reading), _) => {
            foreign::check(project, &reading)?;
            plan::finish(project, reading.plan)
        }
        (None, Some(obstacle)) => Err(obstacle),
        (None, None) => {
            container::last(project)?;
            Err(foreign::marked(project).filter(|_| project.may_be_site()).unwrap_or_else(|| nothing::error(project)))
        }
    }
}

/// Splits a command of the project file.
fn words(command: &str, key: &str) -> Result<Vec<String>, DetectError> {
    split_command(command).map_err(|reason| DetectError::new("MANIFEST_INVALID", format!("mikrocloud.toml: {key}: {reason}")))
}
