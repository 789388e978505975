//! Servers written in Python: what is installed for them.

use std::collections::BTreeSet;

use super::python_lists::{self, Lists, Wanted};
use super::{DetectError, Project, Reading, node, plan, python_start, versions};
use crate::build::{AddedFile, BuildPlan, BuildStep};

/// Installation directory of packages: a plain directory inside the project, which can be moved, as a virtual environment cannot.
pub(super) const PACKAGES: &str = ".mikrocloud/python";
/// Directory of the programs that packages bring.
const PROGRAMS: &str = ".mikrocloud/python/bin";
/// File of what is installed, where the project has none that pip reads.
const REQUIREMENTS: &str = ".mikrocloud/requirements.txt";
const CONSTRAINTS: &str = ".mikrocloud/constraints.txt";

/// Keeps the machine's own packages out of the project's programs, and lets packages add to the path as they do when they are installed as
/// usual. Python imports a module of this name when it starts (<https://docs.python.org/3/library/site.html>).
const SITE: &str = "\
\"\"\"Only the project's own packages: those of the machine are not part of what is deployed.\"\"\"
import os
import site
import sys

_own = os.path.dirname(os.path.abspath(__file__))
_machine = {os.path.realpath(path) for path in [*site.getsitepackages(), site.getusersitepackages()]}
sys.path[:] = [path for path in sys.path if not path or os.path.realpath(path) not in _machine]
site.addsitedir(_own)
";

const PIP: &[&str] = &[
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
    "--root-user-action=ignore",
    "--no-warn-conflicts",
    "--upgrade",
    "--target",
    PACKAGES,
];

/// Packages to install, and the steps that install them.
pub(super) struct Install {
    /// The programs that install it.
    pub steps: Vec<BuildStep>,
    /// Files that they read.
    pub files: Vec<AddedFile>,
    /// The file that lists it.
    pub file: Option<&'static str>,
    /// The packages that are named, in the spelling in which they are compared (PEP 503).
    pub packages: BTreeSet<String>,
    /// The interpreter, such as `python3`.
    pub interpreter: String,
    /// Remarks for the log.
    pub notes: Vec<String>,
}

/// Scripts that make a project one of Python, where it lists no packages.
const SCRIPTS: &[&str] = &["manage.py", "main.py", "app.py", "server.py", "wsgi.py", "asgi.py"];

/// A project with Python files and a way to start them.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    if !project.may_serve() {
        return Ok(None);
    }
    let install = install(project)?;
    let script = SCRIPTS.iter().copied().find(|file| project.tree.exists(file));
    let Some(file) = install.file.or(script) else { return Ok(None) };
    let Some(start) = python_start::find(project, &install) else {
        let message = format!(
            "there is {file}, but no application of a known framework and no main.py, app.py or server.py in its root, in a package or in src/: name the \
             start in a Procfile (web: gunicorn package:app) or in mikrocloud.toml with [container] command"
        );
        return Err(DetectError::new("START_UNKNOWN", message));
    };
    let mut install = install;
    let missing: Vec<&str> = start.needs.iter().copied().filter(|package| !install.packages.contains(*package)).collect();
    if !missing.is_empty() {
        install.add(&missing);
        install.notes.push(format!(
            "{} is installed, because {} needs a server for production and {file} lists none",
            missing.join(", "),
            start.framework
        ));
    }
    install.notes.extend(start.notes.clone());
    install.files.extend(start.files.clone());
    let mut steps = node::assets(project)?;
    let path = match (install.steps.is_empty() && install.files.is_empty(), start.below_src) {
        (true, false) => String::new(),
        (true, true) => "src".to_owned(),
        (false, false) => PACKAGES.to_owned(),
        (false, true) => format!("{PACKAGES}:src"),
    };
    let mut command = start.command;
    use_interpreter(&install.interpreter, &mut command);
    steps.append(&mut install.steps);
    // Output must come line by line, and what runs must not change the artifact.
    let mut env = vec![("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];
    if !path.is_empty() {
        env.push(("PYTHONPATH", path.as_str()));
    }
    for words in start.steps {
        let mut step = plan::step([install.interpreter.as_str()].into_iter().chain(words.iter().copied()));
        step.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        steps.push(step);
    }
    let mut server = plan::server(start.framework, format!("there is {file}, and {}", start.reason), steps, command);
    server.notes = install.notes;
    server.files = install.files;
    server = plan::with_env(server, &env);
    if !path.is_empty() {
        server = plan::with_path(server, &[PROGRAMS]);
    }
    Ok(Some(Reading::new(start.weight, server)))
}

/// A plan for a site that a Python program generates, with what it needs installed.
pub(super) fn generator(
    project: &Project<'_>,
    framework: &str,
    reason: String,
    needs: &[&str],
    words: &[&str],
    output: &str,
) -> Result<BuildPlan, DetectError> {
    let mut install = install(project)?;
    let missing: Vec<&str> = needs.iter().copied().filter(|package| !install.packages.contains(*package)).collect();
    if !missing.is_empty() {
        install.add(&missing);
    }
    let mut build = plan::step([install.interpreter.as_str()].into_iter().chain(words.iter().copied()));
    build.env.push(("PYTHONPATH".to_owned(), PACKAGES.to_owned()));
    let mut steps = node::assets(project)?;
    steps.append(&mut install.steps);
    steps.push(build);
    let mut site = plan::site(framework, reason, steps, output);
    (site.files, site.notes) = (install.files, install.notes);
    Ok(plan::with_path(site, &[PROGRAMS]))
}

/// Returns the packages that the project lists for installation.
pub(super) fn install(project: &Project<'_>) -> Result<Install, DetectError> {
    let Lists { file, names, wanted, constraints, requires_python } = python_lists::read(project)?;
    let (interpreter, note) = versions::python(project.tree, requires_python.as_deref());
    let mut install =
        Install { steps: Vec::new(), files: Vec::new(), file, packages: names, interpreter, notes: note.into_iter().collect() };
    let mut arguments: Vec<String> = match wanted {
        Wanted::Nothing => return Ok(install),
        Wanted::Uv => {
            install.steps = uv();
            install.add_site();
            return Ok(install);
        }
        Wanted::File(file) => vec!["-r".to_owned(), file.to_owned()],
        Wanted::Lines(lines) => {
            install.files.push(AddedFile { path: REQUIREMENTS.to_owned(), text: lines.join("\n") + "\n" });
            vec!["-r".to_owned(), REQUIREMENTS.to_owned()]
        }
        Wanted::Project => vec![".".to_owned()],
    };
    if !constraints.is_empty() {
        install.files.push(AddedFile { path: CONSTRAINTS.to_owned(), text: constraints.join("\n") + "\n" });
        arguments.extend(["-c".to_owned(), CONSTRAINTS.to_owned()]);
    }
    let step = install.pip(arguments.iter().map(String::as_str));
    install.steps.push(step);
    install.add_site();
    Ok(install)
}

impl Install {
    /// Installs these packages, too: at once with the others, because pip replaces the directory of programs each time.
    fn add(&mut self, packages: &[&str]) {
        let is_pip = |step: &&mut BuildStep| step.command.iter().any(|word| word == "pip") && step.command[0] == self.interpreter;
        if let Some(step) = self.steps.last_mut().filter(is_pip) {
            step.command.extend(packages.iter().map(|package| (*package).to_owned()));
        } else {
            let step = self.pip(packages.iter().copied());
            self.steps.push(step);
        }
        self.add_site();
    }

    fn pip<'a>(&'a self, arguments: impl Iterator<Item = &'a str>) -> BuildStep {
        plan::step([self.interpreter.as_str()].into_iter().chain(PIP.iter().copied()).chain(arguments))
    }

    fn add_site(&mut self) {
        let path = format!("{PACKAGES}/sitecustomize.py");
        if !self.files.iter().any(|file| file.path == path) {
            self.files.push(AddedFile { path, text: SITE.to_owned() });
        }
    }
}

/// Replaces the usual interpreter in a command by the one that the project asks for.
fn use_interpreter(interpreter: &str, command: &mut [String]) {
    if let Some(program) = command.first_mut().filter(|program| matches!(program.as_str(), "python" | "python3")) {
        interpreter.clone_into(program);
    }
}

fn uv() -> Vec<BuildStep> {
    let export = [
        "uv",
        "export",
        "--frozen",
        "--no-dev",
        "--no-emit-project",
        "--format",
        "requirements-txt",
        "--output-file",
        REQUIREMENTS,
    ];
    let install = ["uv", "pip", "install", "--target", PACKAGES, "--requirements", REQUIREMENTS];
    vec![plan::step(export), plan::step(install)]
}
