//! Making plans, and what the project file changes in them.

use super::{DetectError, Project, words};
use crate::build::{BuildPlan, BuildStep};
use crate::manifest::ContainerSection;
use crate::workload::{Server, StaticSite, WorkloadSpec};

/// A plan for a site of files.
pub(super) fn site(framework: &str, reason: impl Into<String>, steps: Vec<BuildStep>, output: &str) -> BuildPlan {
    BuildPlan {
        framework: framework.to_owned(),
        reason: reason.into(),
        steps,
        image: None,
        output: output.to_owned(),
        workload: WorkloadSpec::Static(StaticSite::default()),
    }
}

/// A plan for a server that runs in its source's directory.
pub(super) fn server(framework: &str, reason: impl Into<String>, steps: Vec<BuildStep>, command: Vec<String>) -> BuildPlan {
    let server = Server {
        command,
        env: Vec::new(),
        port: None,
        health_path: "/".to_owned(),
        replicas: 1,
        memory_mib: 512,
        cpu: 1.0,
        image: None,
    };
    BuildPlan {
        framework: framework.to_owned(),
        reason: reason.into(),
        steps,
        image: None,
        output: String::new(),
        workload: WorkloadSpec::Server(server),
    }
}

/// The plan with variables for its server.
pub(super) fn with_env(mut plan: BuildPlan, env: &[(&str, &str)]) -> BuildPlan {
    if let WorkloadSpec::Server(server) = &mut plan.workload {
        server.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }
    plan
}

/// One program of a build.
pub(super) fn step<'a>(words: impl IntoIterator<Item = &'a str>) -> BuildStep {
    BuildStep { command: words.into_iter().map(str::to_owned).collect(), env: Vec::new() }
}

/// A command's words as owned texts.
pub(super) fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Applies what the project file names, and checks that the programs are there.
pub(super) fn finish(project: &Project<'_>, mut plan: BuildPlan) -> Result<BuildPlan, DetectError> {
    let build = &project.manifest.build;
    if let Some(commands) = &build.command {
        let steps = commands.iter().map(|text| Ok(BuildStep { command: words(text, "build.command")?, env: Vec::new() }));
        plan.steps = steps.collect::<Result<_, DetectError>>()?;
    }
    let output = build.output.as_deref().map(clean);
    match &mut plan.workload {
        WorkloadSpec::Static(_) => plan.output = output.unwrap_or(plan.output),
        // The functions stay where they are: what is built is the site beside them.
        WorkloadSpec::Functions(set) => {
            set.site = output.map(|root| StaticSite { root }).or(set.site.take());
        }
        WorkloadSpec::Server(server) => {
            plan.output = output.unwrap_or(plan.output);
            configure(project, server)?;
        }
    }
    add_variables(project, &mut plan);
    plan.reason.push_str(&overridden(project));
    check_programs(project, &plan)?;
    Ok(plan)
}

/// The project file's variables hold while it is built and while it runs; what detection sets itself comes first, and loses.
fn add_variables(project: &Project<'_>, plan: &mut BuildPlan) {
    let variables = || project.manifest.env.iter().map(|(name, value)| (name.clone(), value.clone()));
    for step in &mut plan.steps {
        step.env.extend(variables());
    }
    if let Some(image) = &mut plan.image {
        image.env.extend(variables());
    }
    match &mut plan.workload {
        WorkloadSpec::Static(_) => {}
        WorkloadSpec::Server(server) => server.env.extend(variables()),
        WorkloadSpec::Functions(set) => set.env.extend(variables()),
    }
}

fn configure(project: &Project<'_>, server: &mut Server) -> Result<(), DetectError> {
    let Some(container) = &project.manifest.container else { return Ok(()) };
    if let Some(start) = &project.start {
        server.command.clone_from(start);
    }
    match &mut server.image {
        Some(image) => image.port = container.port,
        None => server.port = fixed_port(container)?,
    }
    server.health_path = container.health_path.clone().unwrap_or_else(|| server.health_path.clone());
    server.replicas = container.replicas.unwrap_or(server.replicas);
    server.memory_mib = container.memory_mib.unwrap_or(server.memory_mib);
    server.cpu = container.cpu.unwrap_or(server.cpu);
    Ok(())
}

/// The fixed port of a server that shares the machine's ports with all others, unlike one in a container.
fn fixed_port(container: &ContainerSection) -> Result<Option<u16>, DetectError> {
    let invalid = |text: &str| Err(DetectError::new("MANIFEST_INVALID", format!("mikrocloud.toml: container.{text}")));
    match container.port {
        Some(port) if port < 1024 => {
            invalid(&format!("port: {port} is out of range: give 1024 to 65535, or let the program listen on $PORT"))
        }
        Some(_) if container.replicas.is_some_and(|replicas| replicas > 1) => {
            invalid("replicas: several replicas cannot listen on one port: remove `port` and let the program listen on $PORT")
        }
        port => Ok(port),
    }
}

/// Describes the parts that the project file replaced, for the displayed reason.
fn overridden(project: &Project<'_>) -> String {
    let build = &project.manifest.build;
    let parts = [
        (build.command.is_some(), "build.command"),
        (build.output.is_some(), "build.output"),
        (project.start.is_some(), "container.command"),
    ];
    let named: Vec<&str> = parts.iter().filter(|(given, _)| *given).map(|(_, name)| *name).collect();
    if named.is_empty() { String::new() } else { format!("; mikrocloud.toml sets {}", named.join(", ")) }
}

/// The path without `./` and a `/` at its end.
fn clean(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

fn check_programs(project: &Project<'_>, plan: &BuildPlan) -> Result<(), DetectError> {
    let start = match &plan.workload {
        WorkloadSpec::Server(server) => server.command.first(),
        _ => None,
    };
    let programs = plan.steps.iter().filter_map(|step| step.command.first()).chain(start);
    // A program with a slash is the project's own, and may come out of the build.
    for program in programs.filter(|program| !program.contains('/')) {
        if !project.tree.has_program(program) {
            let message = format!(
                "{} needs the program `{program}`, which this machine does not have: {}",
                plan.framework,
                remedy(program)
            );
            return Err(DetectError::new("TOOLCHAIN_MISSING", message));
        }
    }
    Ok(())
}

fn remedy(program: &str) -> &'static str {
    match program {
        "node" | "npm" | "npx" => "install Node.js 20 or later (https://nodejs.org)",
        "pnpm" | "yarn" | "corepack" => "install it with `npm install --global corepack` and `corepack enable`",
        "python3" | "python" | "pip" => "install Python 3 with pip (on Debian: apt install python3-pip)",
        "uv" => "install uv (https://docs.astral.sh/uv)",
        "go" => "install Go (https://go.dev/doc/install)",
        "cargo" => "install Rust (https://rustup.rs)",
        _ => "install it, or name another program in mikrocloud.toml",
    }
}
