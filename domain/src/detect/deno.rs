//! Sites and servers of Deno.

use serde_json::Value;

use super::package_manager::{self, TOOLS_PATH};
use super::{DetectError, Project, Reading, Weight, plan};
use crate::build::BuildStep;

/// Directory of what programs import.
const CACHE: &str = ".mikrocloud/deno";

/// A project with Deno's configuration and no package.json, which would decide.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    let file = ["deno.json", "deno.jsonc"].into_iter().find(|file| project.tree.exists(file));
    let Some(file) = file.filter(|_| (project.may_serve() || project.may_be_site()) && !project.tree.exists("package.json"))
    else {
        return Ok(None);
    };
    let text = project.tree.read(file).unwrap_or_default();
    // A comment is no JSON: then the tasks stay unknown, and the entry decides.
    let json: Value = serde_json::from_str(&without_comments(&text)).unwrap_or_default();
    let has_task = |name: &str| !json["tasks"][name].is_null();
    let mut steps: Vec<BuildStep> = Vec::new();
    let is_missing = !project.tree.has_program("deno");
    if is_missing {
        steps.push(package_manager::install_tools(&["deno@latest".to_owned()]));
    }
    let step = |words: &[&str]| {
        let mut step = plan::step([&["deno"], words].concat());
        step.env.push(("DENO_DIR".to_owned(), CACHE.to_owned()));
        step
    };
    let entry = ["main.ts", "server.ts", "main.js", "server.js", "mod.ts", "src/main.ts", "src/server.ts", "main.tsx"]
        .into_iter()
        .find(|file| project.tree.exists(file));
    let complete = |mut plan: crate::build::BuildPlan| {
        if is_missing {
            plan.notes.push("deno is installed for this project, because this machine does not have it".to_owned());
            plan = plan::with_path(plan, &[TOOLS_PATH]);
        }
        plan
    };
    if has_task("build") {
        steps.push(step(&["task", "build"]));
    }
    if text.contains("lume/") && has_task("build") && project.may_be_site() {
        return Ok(Some(Reading::new(
            Weight::Site,
            complete(plan::site("Lume", format!("{file} imports lume"), steps, "_site")),
        )));
    }
    if !project.may_serve() {
        return Ok(None);
    }
    if let Some(entry) = entry {
        steps.push(step(&["cache", entry]));
    }
    // Programs that choose no port of their own take this one (https://docs.deno.com/runtime/reference/env_variables).
    let addressed = |words: &[&str]| plan::command(&[&["env", "DENO_SERVE_ADDRESS=tcp:127.0.0.1:$PORT", "deno"], words].concat());
    let (reason, command) = match (&project.start, entry) {
        (Some(start), _) => (format!("there is {file}, and {} says how it starts", start.file), start.command.clone()),
        (None, _) if has_task("start") => (format!("{file} has the task `start`"), addressed(&["task", "start"])),
        (None, Some(entry)) if project.tree.read(entry).is_some_and(|text| text.contains("export default")) => (
            format!("there is {file}, and {entry} exports a server"),
            plan::command(&["deno", "serve", "--allow-all", "--host", "127.0.0.1", "--port", "$PORT", entry]),
        ),
        (None, Some(entry)) => (format!("there is {file} and {entry}"), addressed(&["run", "--allow-all", entry])),
        (None, None) => {
            return Err(DetectError::new(
                "START_UNKNOWN",
                format!(
                    "there is {file}, but no task `start` and no main.ts or server.ts: add the task, or name the start in mikrocloud.toml with [container] command"
                ),
            ));
        }
    };
    let server = plan::with_env(plan::server("Deno", reason, steps, command), &[("DENO_DIR", CACHE)]);
    Ok(Some(Reading::new(Weight::Server, complete(server))))
}

/// The text without lines that are comments.
fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
