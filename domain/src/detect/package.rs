//! package.json, and what is installed and run for it.

use serde_json::Value;

use super::directory::Subdirectory;
use super::package_manager::{self, Manager, Program, TOOLS_PATH};
use super::scripts;
use super::versions::{self, Node};
use super::{DetectError, Project, SourceTree, plan};
use crate::build::{BuildPlan, BuildStep};
use crate::manifest::split_command;

/// Content of package.json, with the package manager that goes with it.
pub(super) struct Package {
    json: Value,
    manager: Manager,
    /// The way from the project to the root of its workspace, such as `../..`, where that is another directory.
    root: Option<String>,
    /// Versions of Node that it asks for.
    node: Node,
    /// Programs that are installed for it, as npm names them: those that the machine does not have.
    tools: Vec<String>,
}

impl Package {
    /// Reads package.json, if there is one.
    pub fn read(project: &Project<'_>) -> Result<Option<Self>, DetectError> {
        let Some(json) = read(project.tree, "package.json")? else { return Ok(None) };
        let directory = project.manifest.build.directory.as_deref().map(plan::clean).unwrap_or_default();
        let root = (!directory.is_empty()).then(|| above(project.tree, &directory)).flatten();
        let manager = match &root {
            Some(way) => {
                let root = Subdirectory::new(project.tree, way);
                Manager::of(&root, &read(&root, "package.json")?.unwrap_or_default())
            }
            None => Manager::of(project.tree, &json),
        };
        let node = versions::node(project.tree, &json);
        let mut package = Self { json, manager, root, node, tools: Vec::new() };
        package.tools = package.missing_tools(project);
        Ok(Some(package))
    }

    /// Programs that its scripts and its package manager need and that the machine does not have.
    fn missing_tools(&self, project: &Project<'_>) -> Vec<String> {
        let mut tools: Vec<String> = self.node.package.iter().cloned().collect();
        let manager = self.manager.program;
        if manager != Program::Npm && !project.tree.has_program(manager.name()) {
            tools.push(self.manager.package());
        }
        for (name, package) in [("bun", "bun@latest"), ("deno", "deno@latest"), ("pnpm", "pnpm@10"), ("yarn", "yarn@1")] {
            let is_listed = self.has(name)
                || tools
                    .iter()
                    .any(|tool| tool.starts_with(&format!("{name}@")) || (name == "yarn" && tool.starts_with("@yarnpkg")));
            let calls = |script: &str| script.split(['&', ';', '|']).any(|part| part.split_whitespace().next() == Some(name));
            if !is_listed && !project.tree.has_program(name) && self.scripts().filter_map(|script| self.script(script)).any(calls)
            {
                tools.push(package.to_owned());
            }
        }
        tools
    }

    /// Returns true if it lists this package, for run time or for development.
    pub fn has(&self, name: &str) -> bool {
        ["dependencies", "devDependencies"].iter().any(|table| self.json[table].get(name).is_some())
    }

    /// One of its scripts.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.json["scripts"][name].as_str().filter(|script| !script.trim().is_empty())
    }

    /// The names of its scripts.
    pub fn scripts(&self) -> impl Iterator<Item = &str> {
        self.json["scripts"].as_object().into_iter().flat_map(|scripts| scripts.keys().map(String::as_str))
    }

    /// The file it names as its entry.
    pub fn main(&self) -> Option<&str> {
        self.json["main"].as_str()
    }

    /// The programs that install what it lists; none when it lists nothing.
    pub fn install(&self, project: &Project<'_>) -> Vec<BuildStep> {
        let mut steps = if self.tools.is_empty() { Vec::new() } else { vec![package_manager::install_tools(&self.tools)] };
        let tables = ["dependencies", "devDependencies", "optionalDependencies", "workspaces"];
        let filled = |value: &Value| match value {
            Value::Object(map) => !map.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => false,
        };
        let is_workspace = self.root.is_some() || project.tree.exists("pnpm-workspace.yaml");
        if is_workspace || tables.iter().any(|table| filled(&self.json[table])) {
            steps.push(self.at_root(self.manager.install()));
        }
        steps
    }

    /// The step that runs a script which builds: of a member of a workspace after the ones that it depends on, where a program knows these.
    pub fn run_build(&self, project: &Project<'_>, script: &str) -> BuildStep {
        let name = self.json["name"].as_str().filter(|name| !name.starts_with('-'));
        let (Some(way), Some(name)) = (&self.root, name) else { return self.manager.run(script) };
        if project.tree.exists(&plan::join(way, "turbo.json")) {
            let words = ["node_modules/.bin/turbo", "run", script, &format!("--filter={name}")];
            return self.at_root(plan::step(words));
        }
        if self.manager.program == Program::Pnpm {
            return self.at_root(self.manager.step(&["--filter", &format!("{name}..."), "run", "--if-present", script]));
        }
        self.manager.run(script)
    }

    /// The start command of a script. One that is a plain call of Node is run without the package manager: one process less, and signals
    /// reach the server itself.
    pub fn run_start(&self, name: &str) -> Vec<String> {
        let script = self.script(name).unwrap_or_default();
        let is_plain = !script.contains(['$', '*', '?', '~', '|', '&', ';', '<', '>', '(', '`', '=']);
        match split_command(script) {
            Ok(words) if is_plain && words[0] == "node" && self.script(&format!("pre{name}")).is_none() => words,
            // npm comes with Node wherever it runs, and runs the scripts of the others as they do.
            _ => {
                let runner = if self.manager.program == Program::Bun { "bun" } else { "npm" };
                plan::command(&[runner, "run", name])
            }
        }
    }

    /// The script that starts its server.
    pub fn start(&self) -> Option<&str> {
        scripts::start(self)
    }

    /// Returns true if its `start` script starts a server that belongs to these programs, such as `next`.
    pub fn starts_by(&self, script: &str, program: &str) -> bool {
        self.script(script)
            .is_some_and(|line| line.split_whitespace().any(|word| word == program || word.ends_with(&format!("/{program}"))))
    }

    /// The plan with what else this package decides on: its programs, and remarks.
    pub fn complete(&self, mut plan: BuildPlan) -> BuildPlan {
        plan.notes.extend(self.manager.note.clone());
        plan.notes.extend(self.node.note.clone());
        if !self.tools.is_empty() {
            plan.notes
                .push(format!("installed for this project, because this machine does not have it: {}", self.tools.join(", ")));
            plan = plan::with_path(plan, &[TOOLS_PATH]);
        }
        plan::with_path(plan, &["node_modules/.bin"])
    }

    fn at_root(&self, mut step: BuildStep) -> BuildStep {
        if let Some(way) = &self.root {
            step.directory.clone_from(way);
        }
        step
    }
}

fn read(tree: &dyn SourceTree, path: &str) -> Result<Option<Value>, DetectError> {
    let Some(text) = tree.read(path) else { return Ok(None) };
    let json = serde_json::from_str(&text);
    json.map(Some).map_err(|error| DetectError::new("SOURCE_INVALID", format!("{path} cannot be read: {error}")))
}

/// The directory of the workspace that a directory of the source is a member of.
pub(super) fn workspace_root(tree: &dyn SourceTree, directory: &str) -> Option<String> {
    // With a lock file of its own it stands for itself.
    if package_manager::has_lock(tree, directory) || !tree.exists(&plan::join(directory, "package.json")) {
        return None;
    }
    let mut above = directory;
    loop {
        above = above.rsplit_once('/').map_or("", |(parent, _)| parent);
        let has = |file: &str| tree.exists(&plan::join(above, file));
        let lists = || {
            let package =
                tree.read(&plan::join(above, "package.json")).and_then(|text| serde_json::from_str::<Value>(&text).ok());
            package.is_some_and(|package| !package["workspaces"].is_null())
        };
        if has("pnpm-workspace.yaml") || has("lerna.json") || lists() {
            return Some(above.to_owned());
        }
        if above.is_empty() {
            return None;
        }
    }
}

/// The way up from a subdirectory to its workspace, such as `../..`.
fn above(tree: &dyn SourceTree, directory: &str) -> Option<String> {
    let depth = directory.split('/').count();
    let up = vec![".."; depth].join("/");
    let root = workspace_root(&Subdirectory::new(tree, &up), directory)?;
    let steps = depth - root.split('/').filter(|part| !part.is_empty()).count();
    Some(vec![".."; steps].join("/"))
}
