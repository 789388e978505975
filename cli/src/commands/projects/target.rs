//! Selection of the project that a command is about.

use std::path::Path;

use domain::build::BuildPlan;
use domain::detect::{DOCKERFILES, SourceTree, detect, read_manifest};
use domain::manifest::{FILE_NAME, Manifest};
use domain::name::ProjectName;
use sources::DirectoryTree;

use crate::arguments::ProjectChoice;
use crate::client::api::Api;
use crate::client::operations;
use server::Failure;

/// The project file and the build plan of a directory, or of one in it, as they come out with the programs of this machine.
pub async fn plan_of(path: &Path, directory: Option<&str>) -> Result<(Manifest, BuildPlan), Failure> {
    let tree = DirectoryTree::open(path);
    let mut tree = tree.map_err(|error| Failure::failed("SOURCE", format!("{}: {error}", path.display())))?;
    let manifest = read_manifest(&tree, directory).map_err(|error| Failure::failed("MANIFEST_INVALID", error.to_string()))?;
    let place = manifest.build.directory.as_deref().unwrap_or_default();
    if DOCKERFILES.iter().any(|file| tree.exists(format!("{place}/{file}").trim_start_matches('/'))) {
        tree = tree.with_container_engine(server::container_engine().await);
    }
    let plan = detect(&tree, &manifest).map_err(|error| Failure::failed(error.code, error.message))?;
    Ok((manifest, plan))
}

/// The project named on the command line, or by the project file of a directory, or by the directory's own name.
pub fn project_name(given: Option<&str>, directory: &Path) -> Result<String, Failure> {
    if let Some(name) = given {
        return Ok(name.to_owned());
    }
    if let Some(name) = manifest(directory)?.and_then(|manifest| manifest.project.name) {
        return Ok(name);
    }
    let canonical = directory.canonicalize();
    let canonical = canonical.map_err(|error| Failure::failed("SOURCE", format!("{}: {error}", directory.display())))?;
    let name = canonical.file_name().and_then(|name| ProjectName::suggest(&name.to_string_lossy()));
    name.map(|name| name.to_string()).ok_or_else(|| {
        Failure::usage("no project name can be made of the directory's name: choose one with --project, or in mikrocloud.toml")
    })
}

/// The id of a deployment that is named by it, or by its number in the project that is chosen.
pub async fn deployment_id(api: &Api, given: &str, project: &ProjectChoice) -> Result<String, Failure> {
    let Ok(number) = given.trim_start_matches('#').parse::<i64>() else { return Ok(given.to_owned()) };
    let name = project_name(project.project.as_deref(), Path::new("."))?;
    operations::deployment_of_number(api, &name, number).await
}

/// The project file of a directory, if there is one.
pub fn manifest(directory: &Path) -> Result<Option<Manifest>, Failure> {
    let path = directory.join(FILE_NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) => Manifest::parse(&text).map(Some).map_err(|error| Failure::failed("MANIFEST_INVALID", error.to_string())),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Failure::failed("MANIFEST_INVALID", format!("{}: {error}", path.display()))),
    }
}
