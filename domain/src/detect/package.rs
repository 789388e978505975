//! package.json and the package manager that goes with it.

use serde_json::Value;

use super::{DetectError, Project, plan};
use crate::build::BuildStep;
use crate::manifest::split_command;

/// Content of package.json.
pub(super) struct Package {
    json: Value,
    manager: Manager,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Pnpm,
    /// Yarn 1.
    YarnClassic,
    /// Yarn 2 and later.
    Yarn,
    /// npm with a lock file.
    NpmLocked,
    Npm,
}

const NPM_QUIET: &[&str] = &["--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];

impl Package {
    /// Reads package.json, if there is one.
    pub fn read(project: &Project<'_>) -> Result<Option<Self>, DetectError> {
        let Some(text) = project.tree.read("package.json") else { return Ok(None) };
        let json: Value = serde_json::from_str(&text)
            .map_err(|error| DetectError::new("SOURCE_INVALID", format!("package.json cannot be read: {error}")))?;
        let manager = manager(project, &json);
        Ok(Some(Self { json, manager }))
    }

    /// Returns true if it lists this package, for run time or for development.
    pub fn has(&self, name: &str) -> bool {
        ["dependencies", "devDependencies"].iter().any(|table| self.json[table].get(name).is_some())
    }

    /// One of its scripts.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.json["scripts"][name].as_str().filter(|script| !script.trim().is_empty())
    }

    /// The file it names as its entry.
    pub fn main(&self) -> Option<&str> {
        self.json["main"].as_str()
    }

    /// The programs that install what it lists; none when it lists nothing.
    pub fn install(&self, project: &Project<'_>) -> Vec<BuildStep> {
        let tables = ["dependencies", "devDependencies", "optionalDependencies", "workspaces"];
        let filled =
            |value: &Value| value.as_object().is_some_and(|o| !o.is_empty()) || value.as_array().is_some_and(|a| !a.is_empty());
        if !tables.iter().any(|table| filled(&self.json[table])) {
            return Vec::new();
        }
        let words: Vec<&str> = match self.manager {
            Manager::Pnpm => vec!["install", "--frozen-lockfile", "--prod=false", "--reporter=append-only"],
            Manager::YarnClassic => {
                vec!["install", "--frozen-lockfile", "--production=false", "--non-interactive", "--no-progress"]
            }
            Manager::Yarn => vec!["install", "--immutable"],
            Manager::NpmLocked => [&["ci"], NPM_QUIET].concat(),
            Manager::Npm => [&["install"], NPM_QUIET].concat(),
        };
        vec![self.step(project, &words)]
    }

    /// The program that runs its `build` script.
    pub fn run_build(&self, project: &Project<'_>) -> Option<BuildStep> {
        self.script("build").map(|_| self.step(project, &["run", "build"]))
    }

    /// Returns the start command from its `start` script. A script that is one plain call of Node is run without the package
    /// manager: one process less, and signals reach the server itself.
    pub fn run_start(&self, project: &Project<'_>) -> Option<Vec<String>> {
        let script = self.script("start")?;
        let plain = !script.contains(['$', '*', '?', '~', '|', '&', ';', '<', '>', '(', '`', '=']);
        match split_command(script) {
            Ok(words) if plain && words[0] == "node" => Some(words),
            _ => Some(self.step(project, &["run", "start"]).command),
        }
    }

    fn step(&self, project: &Project<'_>, words: &[&str]) -> BuildStep {
        let name = match self.manager {
            Manager::Pnpm => "pnpm",
            Manager::YarnClassic | Manager::Yarn => "yarn",
            Manager::NpmLocked | Manager::Npm => "npm",
        };
        // Corepack comes with Node and knows how to get the others.
        let by_corepack = name != "npm" && !project.tree.has_program(name) && project.tree.has_program("corepack");
        let program: &[&str] = if by_corepack { &["corepack", name] } else { &[name] };
        let mut step = plan::step([program, words].concat());
        if by_corepack {
            step.env.push(("COREPACK_ENABLE_DOWNLOAD_PROMPT".to_owned(), "0".to_owned()));
        }
        step
    }
}

fn manager(project: &Project<'_>, json: &Value) -> Manager {
    let has = |file: &str| project.tree.exists(file);
    let named = json["packageManager"].as_str().unwrap_or_default();
    if has("pnpm-lock.yaml") {
        Manager::Pnpm
    } else if has("yarn.lock") {
        let modern = has(".yarnrc.yml") || (named.starts_with("yarn@") && !named.starts_with("yarn@1"));
        if modern { Manager::Yarn } else { Manager::YarnClassic }
    } else if has("package-lock.json") || has("npm-shrinkwrap.json") {
        Manager::NpmLocked
    } else {
        Manager::Npm
    }
}
