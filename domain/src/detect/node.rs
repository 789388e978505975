//! Sites and servers of Node.

use super::framework::{self, Framework, Leaves};
use super::package::Package;
use super::{DetectError, Project, plan};
use crate::build::{BuildPlan, BuildStep};
use crate::manifest::Kind;

/// Entry files to try for servers that package.json does not name.
const ENTRIES: &[&str] = &["server.js", "server.mjs", "index.js", "index.mjs", "app.js", "main.js"];

/// A project with a package.json that can be built or started.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let Some(package) = Package::read(project)? else { return Ok(None) };
    let may_serve = project.kind != Some(Kind::Static);
    let may_be_site = project.kind != Some(Kind::Container);
    if let Some(framework) = framework::find(project, &package)? {
        let found = from_framework(project, &package, framework, may_serve, may_be_site);
        if found.is_some() {
            return Ok(found);
        }
    }
    if may_serve && let Some((reason, start)) = start(project, &package) {
        let steps = steps(project, &package, None);
        return Ok(Some(production(plan::server("Node.js", reason, steps, start))));
    }
    Ok(if may_be_site { built_site(project, &package) } else { None })
}

/// The site that a frontend's build leaves, for the one who has functions beside it.
pub(super) fn site(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let Some(package) = Package::read(project)? else { return Ok(None) };
    let from =
        framework::find(project, &package)?.and_then(|framework| from_framework(project, &package, framework, false, true));
    Ok(from.or_else(|| built_site(project, &package)))
}

fn from_framework(
    project: &Project<'_>,
    package: &Package,
    framework: Framework,
    may_serve: bool,
    may_be_site: bool,
) -> Option<BuildPlan> {
    let Framework { name, reason, build, leaves } = framework;
    let steps = steps(project, package, Some(build));
    match leaves {
        Leaves::Server(start) if may_serve => {
            let start = project.start.clone().unwrap_or_else(|| plan::command(start));
            Some(production(plan::server(name, reason, steps, start)))
        }
        // A server of one's own that serves what the framework built says so by a script that starts Node.
        Leaves::Site(_) if may_serve && is_served(project, package) => None,
        Leaves::Site(directory) if may_be_site => Some(plan::site(name, reason, steps, &directory)),
        _ => None,
    }
}

fn is_served(project: &Project<'_>, package: &Package) -> bool {
    project.start.is_some() || package.script("start").is_some_and(|script| script.trim_start().starts_with("node "))
}

fn production(server: BuildPlan) -> BuildPlan {
    plan::with_env(server, &[("NODE_ENV", "production")])
}

/// Install, then build: by the project's own script, else by the framework's program.
fn steps(project: &Project<'_>, package: &Package, build: Option<&[&str]>) -> Vec<BuildStep> {
    let mut steps = package.install(project);
    let by_framework = || {
        let (program, arguments) = build?.split_first()?;
        let program = format!("node_modules/.bin/{program}");
        Some(plan::step(std::iter::once(program.as_str()).chain(arguments.iter().copied())))
    };
    steps.extend(package.run_build(project).or_else(by_framework));
    steps
}

/// Returns the start command of the server, and the place where it was read.
fn start(project: &Project<'_>, package: &Package) -> Option<(String, Vec<String>)> {
    if let Some(start) = &project.start {
        return Some(("there is package.json".to_owned(), start.clone()));
    }
    if let Some(start) = package.run_start(project) {
        return Some(("package.json has the script `start`".to_owned(), start));
    }
    let is_plain = |file: &&str| !file.starts_with(['-', '/']) && !file.contains("..");
    let main = package.main().filter(is_plain).filter(|file| project.tree.exists(file));
    // A site's own script may have the name of a server's.
    let page = project.tree.exists("index.html") && project.kind.is_none();
    let entry = main.or_else(|| ENTRIES.iter().copied().find(|file| project.tree.exists(file))).filter(|_| !page)?;
    Some((format!("there is package.json and {entry}"), plan::command(&["node", entry])))
}

/// A site that is built by a script of which only the name is known.
fn built_site(project: &Project<'_>, package: &Package) -> Option<BuildPlan> {
    let script = package.script("build")?;
    let output = output(project, script);
    let reason = format!("package.json has the script `build`, taken to write {output}/");
    Some(plan::site("Node.js site", reason, steps(project, package, None), output))
}

/// The directory that a build script is most likely to write: one that it names, one that is there.
fn output(project: &Project<'_>, script: &str) -> &'static str {
    // `build` is a verb, too: only a path counts.
    if script.contains("build/") {
        return "build";
    }
    let usual = ["dist", "_site", "out", "public"];
    let named =
        |directory: &str| script.split(|c: char| c.is_whitespace() || "/'\"=:".contains(c)).skip(1).any(|word| word == directory);
    let found = usual.into_iter().find(|directory| named(directory));
    found.unwrap_or(if project.tree.exists("public") { "public" } else { "dist" })
}
