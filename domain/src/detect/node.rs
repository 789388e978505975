//! Sites and servers of Node.

use super::framework::{self, Framework, Leaves};
use super::package::Package;
use super::{DetectError, Project, Reading, Weight, plan};
use crate::build::{BuildPlan, BuildStep};
use crate::workload::WorkloadSpec;

/// Entry files to try for servers that package.json does not name.
const ENTRIES: &[&str] =
    &["server.js", "server.mjs", "index.js", "index.mjs", "app.js", "main.js", "src/server.js", "src/index.js", "src/app.js"];

/// Packages that answer requests.
const SERVERS: &[&str] = &[
    "express",
    "fastify",
    "koa",
    "hono",
    "@hono/node-server",
    "@hapi/hapi",
    "restify",
    "polka",
    "@nestjs/core",
    "ws",
    "socket.io",
    "micro",
    "h3",
    "@adonisjs/core",
    "sails",
    "@feathersjs/feathers",
    "apollo-server",
    "@apollo/server",
    "graphql-yoga",
];

/// A project with a package.json that can be built or started.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    if !project.may_serve() && !project.may_be_site() {
        return Ok(None);
    }
    let Some(package) = Package::read(project)? else { return Ok(None) };
    let framework = framework::find(project, &package);
    let known = framework.as_ref().is_ok_and(Option::is_some);
    if let Some(reading) = server(project, &package, framework.as_ref().ok().and_then(Option::as_ref)) {
        return Ok(Some(reading));
    }
    if let Some(framework) = framework?
        && let Some(reading) = from_framework(project, &package, framework)
    {
        return Ok(Some(reading));
    }
    let entry = (project.may_serve() && !known).then(|| entry(project, &package)).flatten();
    Ok(entry.or_else(|| built_site(project, &package)))
}

/// The steps that build what a server of another language serves: those of a package.json that has a script for it.
pub(super) fn assets(project: &Project<'_>) -> Result<Vec<BuildStep>, DetectError> {
    let Some(package) = Package::read(project)? else { return Ok(Vec::new()) };
    Ok(if package.script("build").is_some() { steps(project, &package, None) } else { Vec::new() })
}

/// The site that a frontend's build leaves, for the one who has functions beside it.
pub(super) fn site(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let Some(package) = Package::read(project)? else { return Ok(None) };
    let from = framework::find(project, &package)?.and_then(|framework| match framework.leaves {
        Leaves::Site(_) => {
            from_framework(&Project { kind: Some(crate::manifest::Kind::Static), ..copy(project) }, &package, framework)
        }
        Leaves::Server(_) => None,
    });
    Ok(from.or_else(|| built_site(project, &package)).map(|reading| reading.plan))
}

fn copy<'a>(project: &Project<'a>) -> Project<'a> {
    Project { start: None, release: None, ..*project }
}

/// A server that the project says how to start: in the project file, a Procfile or a script.
fn server(project: &Project<'_>, package: &Package, framework: Option<&Framework>) -> Option<Reading> {
    if !project.may_serve() || (framework.is_some_and(|framework| framework.is_only_site) && project.start.is_none()) {
        return None;
    }
    let (reason, command) = match (&project.start, package.start()) {
        (Some(start), _) => (format!("there is package.json, and {} says how it starts", start.file), start.command.clone()),
        (None, Some(script)) => {
            let own = framework.filter(|framework| {
                matches!(framework.leaves, Leaves::Server(_)) && package.starts_by(script, framework.program)
            });
            if own.is_some() {
                return None;
            }
            (format!("package.json has the script `{script}`"), package.run_start(script))
        }
        (None, None) => return None,
    };
    let name = framework
        .map_or("Node.js", |framework| if matches!(framework.leaves, Leaves::Server(_)) { framework.name } else { "Node.js" });
    let mut steps = steps(project, package, framework.map(|framework| framework.build).filter(|_| name != "Node.js"));
    set_env(&mut steps, framework);
    let mut server = plan::server(name, reason, steps, command);
    server.notes.extend(framework.and_then(|framework| framework.note.clone()));
    Some(Reading::new(Weight::Server, package.complete(production(server))))
}

fn from_framework(project: &Project<'_>, package: &Package, framework: Framework) -> Option<Reading> {
    let mut steps = match framework.name {
        // A script of that name makes other files than `build`.
        "Nuxt" if framework.is_only_site && package.script("generate").is_some() => {
            let mut steps = package.install(project);
            steps.push(package.run_build(project, "generate"));
            steps
        }
        _ => steps(project, package, Some(framework.build)),
    };
    set_env(&mut steps, Some(&framework));
    let Framework { name, reason, leaves, alternatives, note, .. } = framework;
    let mut plan = match leaves {
        Leaves::Server(start) if project.may_serve() => production(plan::server(name, reason, steps, start)),
        Leaves::Site(directory) if project.may_be_site() => plan::site(name, reason, steps, &directory),
        _ => return None,
    };
    plan.alternatives.extend(alternatives.into_iter().filter(|alternative| match alternative.workload {
        WorkloadSpec::Static(_) => project.may_be_site(),
        _ => project.may_serve() && plan.is_guess,
    }));
    plan.notes.extend(note);
    let weight = if matches!(plan.workload, WorkloadSpec::Static(_)) { Weight::Site } else { Weight::Server };
    Some(Reading::new(weight, package.complete(production(plan))))
}

fn set_env(steps: &mut [BuildStep], framework: Option<&Framework>) {
    let variables = framework.map_or(&[][..], |framework| framework.build_env);
    for step in steps {
        step.env.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }
}

fn production(mut plan: BuildPlan) -> BuildPlan {
    for alternative in &mut plan.alternatives {
        if let WorkloadSpec::Server(server) = &mut alternative.workload
            && server.env.is_empty()
        {
            server.env.push(("NODE_ENV".to_owned(), "production".to_owned()));
        }
    }
    match &plan.workload {
        WorkloadSpec::Server(server) if server.env.is_empty() => plan::with_env(plan, &[("NODE_ENV", "production")]),
        _ => plan,
    }
}

/// Install, then build: by the project's own script, else by the framework's program.
fn steps(project: &Project<'_>, package: &Package, build: Option<&[&str]>) -> Vec<BuildStep> {
    let mut steps = package.install(project);
    // The script may have another name: `docs:build`, `build:prod`.
    let named = || {
        build.and_then(|words| {
            package.scripts().find(|name| package.script(name).is_some_and(|line| line.contains(&words.join(" "))))
        })
    };
    let script = if package.script("build").is_some() { Some("build") } else { named() };
    let by_framework = || {
        let (program, arguments) = build?.split_first()?;
        let program = format!("node_modules/.bin/{program}");
        Some(plan::step(std::iter::once(program.as_str()).chain(arguments.iter().copied())))
    };
    steps.extend(script.map(|script| package.run_build(project, script)).or_else(by_framework));
    steps
}

/// A server that only its files show.
fn entry(project: &Project<'_>, package: &Package) -> Option<Reading> {
    let is_plain = |file: &&str| !file.starts_with(['-', '/']) && !file.contains("..");
    let main = package.main().filter(is_plain).filter(|file| project.tree.exists(file));
    let entry = main.or_else(|| ENTRIES.iter().copied().find(|file| project.tree.exists(file)))?;
    let weight = if SERVERS.iter().any(|name| package.has(name)) { Weight::Server } else { Weight::Script };
    // A build that starts from this file is what the project is about.
    if weight == Weight::Script && package.script("build").is_some() && project.kind.is_none() {
        return None;
    }
    let steps = steps(project, package, None);
    let server = plan::server("Node.js", format!("there is package.json and {entry}"), steps, plan::command(&["node", entry]));
    Some(Reading::new(weight, package.complete(production(server))))
}

/// A site that is built by a script of which only the name is known.
fn built_site(project: &Project<'_>, package: &Package) -> Option<Reading> {
    let script =
        package.script("build").filter(|_| project.may_be_site() || project.kind == Some(crate::manifest::Kind::Function))?;
    let output = output(project, script);
    let reason = format!("package.json has the script `build`, taken to write {output}/");
    let mut plan = plan::site("Node.js site", reason, steps(project, package, None), output);
    if project.may_serve() {
        plan.alternatives = framework::servers();
    }
    Some(Reading::new(Weight::Build, package.complete(production(plan))))
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
