//! Servers written in Python: what is installed for them.

use std::collections::BTreeSet;

use toml::Table;

use super::{DetectError, Project, plan, python_start};
use crate::build::{BuildPlan, BuildStep};

/// Installation directory of packages: a plain directory inside the project, which can be moved, as a virtual environment cannot.
pub(super) const PACKAGES: &str = ".mikrocloud/python";

/// Path to which uv exports its lock file.
const EXPORTED: &str = ".mikrocloud/requirements.txt";

const PIP: &[&str] = &[
    "python3",
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
    "--root-user-action=ignore",
    "--upgrade",
    "--target",
    PACKAGES,
];

/// Packages to install, and the tool that installs them.
#[derive(Default)]
pub(super) struct Install {
    /// The programs that install it.
    pub steps: Vec<BuildStep>,
    /// The file that lists it.
    pub file: Option<&'static str>,
    /// The packages that are named, in the spelling in which they are compared (PEP 503).
    pub packages: BTreeSet<String>,
}

/// A project with Python files and a way to start them.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let scripts = ["manage.py", "main.py", "app.py", "server.py"];
    let install = install(project)?;
    let script = scripts.into_iter().find(|file| project.tree.exists(file));
    let Some(file) = install.file.or(script) else { return Ok(None) };
    let Some(start) = python_start::find(project, &install) else { return Ok(None) };
    let mut steps = install.steps;
    for package in start.needs.iter().filter(|package| !install.packages.contains(**package)) {
        steps.push(pip(&[package]));
    }
    let path = match (steps.is_empty(), start.below_src) {
        (true, false) => "",
        (true, true) => "src",
        (false, false) => PACKAGES,
        (false, true) => ".mikrocloud/python:src",
    };
    // Output must come line by line, and what runs must not change the artifact.
    let server = plan::server(start.framework, format!("there is {file}, and {}", start.reason), steps, start.command);
    let server = plan::with_env(server, &[("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")]);
    Ok(Some(if path.is_empty() { server } else { plan::with_env(server, &[("PYTHONPATH", path)]) }))
}

/// Returns the packages that the project lists for installation.
pub(super) fn install(project: &Project<'_>) -> Result<Install, DetectError> {
    let pyproject = pyproject(project)?;
    let listed = pyproject.as_ref().map(dependencies).unwrap_or_default();
    if project.tree.exists("uv.lock") && project.tree.has_program("uv") {
        let packages = listed.iter().map(|line| name(line)).collect();
        return Ok(Install { steps: uv(), file: Some("uv.lock"), packages });
    }
    if let Some(text) = project.tree.read("requirements.txt") {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let packages: BTreeSet<String> = lines.map(name).collect();
        let steps = if packages.is_empty() { Vec::new() } else { vec![pip(&["-r", "requirements.txt"])] };
        return Ok(Install { steps, file: Some("requirements.txt"), packages });
    }
    let Some(pyproject) = pyproject else { return Ok(Install::default()) };
    let packages = listed.iter().map(|line| name(line)).collect();
    let steps = if !listed.is_empty() {
        let arguments: Vec<&str> = std::iter::once("--").chain(listed.iter().map(String::as_str)).collect();
        vec![pip(&arguments)]
    } else if pyproject.get("tool").and_then(|tool| tool.get("poetry")?.get("dependencies")).is_some() {
        vec![pip(&["."])]
    } else {
        Vec::new()
    };
    Ok(Install { steps, file: Some("pyproject.toml"), packages })
}

fn pip(arguments: &[&str]) -> BuildStep {
    plan::step([PIP, arguments].concat())
}

fn uv() -> Vec<BuildStep> {
    let export =
        ["uv", "export", "--frozen", "--no-dev", "--no-emit-project", "--format", "requirements-txt", "--output-file", EXPORTED];
    let install = ["uv", "pip", "install", "--target", PACKAGES, "--requirements", EXPORTED];
    vec![plan::step(export), plan::step(install)]
}

fn pyproject(project: &Project<'_>) -> Result<Option<Table>, DetectError> {
    let Some(text) = project.tree.read("pyproject.toml") else { return Ok(None) };
    let parsed = text.parse().map_err(|error: toml::de::Error| {
        DetectError::new("SOURCE_INVALID", format!("pyproject.toml cannot be read: {}", error.message()))
    });
    parsed.map(Some)
}

fn dependencies(pyproject: &Table) -> Vec<String> {
    let listed = pyproject.get("project").and_then(|project| project.get("dependencies")?.as_array());
    listed.into_iter().flatten().filter_map(|line| Some(line.as_str()?.to_owned())).collect()
}

/// A package's name from a line that requires it.
fn name(line: &str) -> String {
    let end = line.find(|c: char| !(c.is_alphanumeric() || "._-".contains(c))).unwrap_or(line.len());
    // An extra that brings a server with it counts as the server.
    if line[..end].eq_ignore_ascii_case("fastapi") && line[end..].starts_with("[standard") {
        return "fastapi-standard".to_owned();
    }
    line[..end].to_ascii_lowercase().replace(['_', '.'], "-")
}
