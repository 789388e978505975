//! Projects in a subdirectory of what was fetched: one of several in a repository.

use super::{DetectError, Entry, SourceTree, detect_at_root, package, plan};
use crate::build::BuildPlan;
use crate::engine::ContainerEngine;
use crate::manifest::{self, FILE_NAME, Manifest, ManifestError};
use crate::workload::WorkloadSpec;

/// The files of a subdirectory. What is beside it is seen through `..`.
pub(super) struct Subdirectory<'a> {
    tree: &'a dyn SourceTree,
    directory: &'a str,
}

impl<'a> Subdirectory<'a> {
    pub fn new(tree: &'a dyn SourceTree, directory: &'a str) -> Self {
        Self { tree, directory }
    }
}

impl SourceTree for Subdirectory<'_> {
    fn read(&self, path: &str) -> Option<String> {
        self.tree.read(&plan::join(self.directory, path))
    }

    fn exists(&self, path: &str) -> bool {
        self.tree.exists(&plan::join(self.directory, path))
    }

    fn list(&self, directory: &str) -> Vec<Entry> {
        self.tree.list(&plan::join(self.directory, directory))
    }

    fn has_program(&self, name: &str) -> bool {
        self.tree.has_program(name)
    }

    fn version(&self, program: &str) -> Option<String> {
        self.tree.version(program)
    }

    fn container_engine(&self) -> ContainerEngine {
        self.tree.container_engine()
    }
}

/// Reads the project file for a directory: its own, else the root's. The one that was asked for wins over the one that the root's names.
pub(super) fn manifest(tree: &dyn SourceTree, asked: Option<&str>) -> Result<Manifest, ManifestError> {
    let root = Manifest::parse(&tree.read(FILE_NAME).unwrap_or_default())?;
    let Some(directory) = asked.or(root.build.directory.as_deref()).map(plan::clean).filter(|path| !path.is_empty()) else {
        return Ok(root);
    };
    if !manifest::is_inside(&directory) {
        let message = "build.directory: name a directory inside the project, without `..` and not absolute".to_owned();
        return Err(ManifestError { line: None, message });
    }
    let own = tree.read(&format!("{directory}/{FILE_NAME}"));
    let mut manifest = match own {
        Some(text) => Manifest::parse(&text)
            .map_err(|error| ManifestError { message: format!("in {directory}: {}", error.message), ..error })?,
        None => root,
    };
    manifest.build.directory = Some(directory);
    Ok(manifest)
}

/// The plan for a subdirectory, with all its paths relative to the source's directory.
pub(super) fn detect(tree: &dyn SourceTree, manifest: &Manifest, directory: &str) -> Result<BuildPlan, DetectError> {
    let is_directory = |path: &str| {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        tree.list(parent).iter().any(|entry| entry.is_directory && entry.name == name)
    };
    if !is_directory(directory) {
        let there: Vec<_> =
            tree.list("").into_iter().filter(|entry| entry.is_directory && !entry.name.starts_with('.')).collect();
        let there: Vec<_> = there.iter().take(8).map(|entry| entry.name.as_str()).collect();
        let there = if there.is_empty() { "there is none".to_owned() } else { format!("there are: {}", there.join(", ")) };
        let message = format!("build.directory: there is no directory `{directory}` ({there}): correct it, or leave it out");
        return Err(DetectError::new("DIRECTORY_MISSING", message));
    }
    let subdirectory = Subdirectory::new(tree, directory);
    let plan = detect_at_root(&subdirectory, manifest)?;
    Ok(moved(plan, directory, package::workspace_root(tree, directory).is_some()))
}

/// Makes the paths of a plan for a subdirectory relative to the source's directory. A member of a workspace runs with the whole of it: its
/// packages may be anywhere there.
fn moved(mut plan: BuildPlan, directory: &str, needs_root: bool) -> BuildPlan {
    let below = |path: &str| plan::join(directory, path);
    plan.reason = format!("in {directory}: {}", plan.reason);
    for step in &mut plan.steps {
        step.directory = below(&step.directory);
    }
    for file in &mut plan.files {
        file.path = below(&file.path);
    }
    for path in &mut plan.path {
        *path = below(path);
    }
    if let Some(image) = &mut plan.image {
        directory.clone_into(&mut image.directory);
    }
    let place = |output: &mut String, workload: &mut WorkloadSpec| match workload {
        WorkloadSpec::Server(server) if needs_root && output.is_empty() => {
            server.directory = below(&server.directory);
            for path in &mut server.path {
                *path = below(path);
            }
        }
        _ => *output = below(output),
    };
    place(&mut plan.output, &mut plan.workload);
    for alternative in &mut plan.alternatives {
        alternative.evidence = below(&alternative.evidence);
        place(&mut alternative.output, &mut alternative.workload);
    }
    plan
}
