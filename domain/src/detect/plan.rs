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
        notes: Vec::new(),
        files: Vec::new(),
        path: Vec::new(),
        is_guess: !steps.is_empty(),
        steps,
        image: None,
        output: output.to_owned(),
        workload: WorkloadSpec::Static(StaticSite::default()),
        alternatives: Vec::new(),
    }
}

/// A plan for a server that runs in its source's directory.
pub(super) fn server(framework: &str, reason: impl Into<String>, steps: Vec<BuildStep>, command: Vec<String>) -> BuildPlan {
    BuildPlan { is_guess: false, workload: WorkloadSpec::Server(workload(command)), ..site(framework, reason, steps, "") }
}

/// A server with the usual resources.
pub(super) fn workload(command: Vec<String>) -> Server {
    Server {
        command,
        directory: String::new(),
        path: Vec::new(),
        env: Vec::new(),
        port: None,
        health_path: "/".to_owned(),
        replicas: 1,
        memory_mib: 512,
        cpu: 1.0,
        image: None,
    }
}

/// The plan with directories whose programs come before the machine's, for its steps and its server.
pub(super) fn with_path(mut plan: BuildPlan, directories: &[&str]) -> BuildPlan {
    let directories = || directories.iter().map(|directory| (*directory).to_owned());
    plan.path.extend(directories());
    let servers = plan.alternatives.iter_mut().map(|alternative| &mut alternative.workload).chain([&mut plan.workload]);
    for workload in servers {
        if let WorkloadSpec::Server(server) = workload {
            server.path.extend(directories());
        }
    }
    plan
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
    BuildStep { command: words.into_iter().map(str::to_owned).collect(), env: Vec::new(), directory: String::new() }
}

/// A Procfile's line for a shell: the project's own words, run as that format has it (ADR 6).
pub(super) fn shell(line: &str) -> Vec<String> {
    command(&["sh", "-c", line])
}

/// A command's words as owned texts.
pub(super) fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Applies what the project file names, and checks that the programs are there.
pub(super) fn finish(project: &Project<'_>, mut plan: BuildPlan) -> Result<BuildPlan, DetectError> {
    let build = &project.manifest.build;
    if let Some(commands) = &build.command {
        let steps = commands.iter().map(|text| Ok(step(words(text, "build.command")?.iter().map(String::as_str))));
        plan.steps = steps.collect::<Result<_, DetectError>>()?;
    }
    let output = build.output.as_deref().map(clean);
    if output.is_some() {
        plan.is_guess = false;
        plan.alternatives.clear();
    }
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
    add_release(project, &mut plan);
    plan.reason.push_str(&overridden(project));
    check_programs(project, &plan)?;
    Ok(plan)
}

/// A Procfile's `release` runs once all is built, before anything of it is shown.
fn add_release(project: &Project<'_>, plan: &mut BuildPlan) {
    if let (Some(release), WorkloadSpec::Server(server), None) = (&project.release, &plan.workload, &plan.image) {
        let step = BuildStep { command: release.clone(), env: server.env.clone(), directory: String::new() };
        plan.steps.push(step);
        plan.notes.push("the last step is the Procfile's `release`".to_owned());
    }
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
    for alternative in &mut plan.alternatives {
        if let WorkloadSpec::Server(server) = &mut alternative.workload {
            server.env.extend(variables());
        }
    }
}

fn configure(project: &Project<'_>, server: &mut Server) -> Result<(), DetectError> {
    let Some(container) = &project.manifest.container else { return Ok(()) };
    if let Some(start) = project.declared_start() {
        server.command.clone_from(&start.command);
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
        (project.declared_start().is_some(), "container.command"),
    ];
    let named: Vec<&str> = parts.iter().filter(|(given, _)| *given).map(|(_, name)| *name).collect();
    if named.is_empty() { String::new() } else { format!("; mikrocloud.toml sets {}", named.join(", ")) }
}

/// The path without `./`, `x/..` and a `/` at its end.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// A path below a directory, either of which may be empty.
pub(super) fn join(directory: &str, path: &str) -> String {
    clean(&format!("{directory}/{path}"))
}

fn check_programs(project: &Project<'_>, plan: &BuildPlan) -> Result<(), DetectError> {
    let start = match &plan.workload {
        WorkloadSpec::Server(server) => server.command.first(),
        _ => None,
    };
    let programs = plan.steps.iter().filter_map(|step| step.command.first()).chain(start);
    // A program with a slash is the project's own, and a directory of its programs may come out of the build.
    for program in programs.filter(|program| !program.contains('/')) {
        if !project.tree.has_program(program)
            && (plan.path.is_empty() || TOOLCHAINS.iter().any(|(known, _)| known.contains(&program.as_str())))
        {
            let message =
                format!("{} needs the program `{program}`, which is not on this machine: {}", plan.framework, remedy(program));
            return Err(DetectError::new("TOOLCHAIN_MISSING", message));
        }
    }
    Ok(())
}

/// Programs that no project brings with it, and how to get them.
const TOOLCHAINS: &[(&[&str], &str)] = &[
    (&["node", "npm", "npx"], "install Node.js 20 or later (https://nodejs.org)"),
    (&["python3", "python", "pip", "pip3"], "install Python 3 with pip (on Debian: apt install python3-pip)"),
    (&["uv"], "install uv (https://docs.astral.sh/uv)"),
    (&["go"], "install Go (https://go.dev/doc/install)"),
    (&["cargo"], "install Rust (https://rustup.rs)"),
    (&["php"], "install PHP (on Debian: apt install php-cli php-mbstring php-xml php-curl php-sqlite3)"),
    (&["composer"], "install Composer (on Debian: apt install composer; https://getcomposer.org)"),
    (&["ruby", "bundle"], "install Ruby with Bundler (on Debian: apt install ruby-full ruby-bundler build-essential)"),
    (&["java"], "install a Java development kit (on Debian: apt install default-jdk)"),
    (&["mvn"], "install Maven (on Debian: apt install maven), or add the Maven wrapper to the project"),
    (&["gradle"], "install Gradle (https://gradle.org/install), or add the Gradle wrapper to the project"),
    (&["hugo"], "install Hugo (https://gohugo.io/installation)"),
];

fn remedy(program: &str) -> &'static str {
    let known = TOOLCHAINS.iter().find(|(programs, _)| programs.contains(&program));
    known.map_or("install it, or name another program in mikrocloud.toml", |(_, remedy)| remedy)
}
