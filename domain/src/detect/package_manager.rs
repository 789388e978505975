//! Package managers of Node.

use serde_json::Value;

use super::{SourceTree, plan};
use crate::build::BuildStep;

/// Directory of programs that are installed for one project because the machine does not have them.
pub(super) const TOOLS: &str = ".mikrocloud/tools";
/// Directory of their executables.
pub(super) const TOOLS_PATH: &str = ".mikrocloud/tools/node_modules/.bin";

/// Arguments that keep npm to what went wrong.
const NPM_QUIET: &[&str] = &["--no-audit", "--no-fund", "--loglevel=error"];

/// A program that installs packages and runs scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Npm,
    Pnpm,
    /// Yarn 1.
    YarnClassic,
    /// Yarn 2 and later.
    Yarn,
    Bun,
}

/// The package manager of a project.
#[derive(Debug, Clone)]
pub(super) struct Manager {
    pub program: Program,
    /// Its version, where the project names one.
    version: Option<String>,
    /// The lock file is its own.
    is_locked: bool,
    /// A remark on a choice between several.
    pub note: Option<String>,
}

/// Lock files, in the order in which they count.
const LOCKS: &[(&str, Program)] = &[
    ("pnpm-lock.yaml", Program::Pnpm),
    ("bun.lock", Program::Bun),
    ("bun.lockb", Program::Bun),
    ("yarn.lock", Program::YarnClassic),
    ("package-lock.json", Program::Npm),
    ("npm-shrinkwrap.json", Program::Npm),
];

/// Returns true if a directory has a lock file of its own.
pub(super) fn has_lock(tree: &dyn SourceTree, directory: &str) -> bool {
    LOCKS.iter().any(|(lock, _)| tree.exists(&plan::join(directory, lock)))
}

/// Files by which a package manager is recognised where there is no lock.
const MARKS: &[(&str, Program)] = &[
    ("pnpm-workspace.yaml", Program::Pnpm),
    (".yarnrc.yml", Program::Yarn),
    (".yarnrc", Program::YarnClassic),
    ("bunfig.toml", Program::Bun),
];

impl Manager {
    /// The one that the project names, else that of its lock file, else that of its own configuration, else npm.
    pub fn of(tree: &dyn SourceTree, package: &Value) -> Self {
        let locks: Vec<_> = LOCKS.iter().filter(|(file, _)| tree.exists(file)).collect();
        let named = package["packageManager"].as_str().map(str::to_owned).or_else(|| {
            let wanted = &package["devEngines"]["packageManager"];
            Some(format!("{}@{}", wanted["name"].as_str()?, wanted["version"].as_str().unwrap_or_default()))
        });
        let named = named.as_deref().and_then(|text| {
            let (name, version) = text.split_once('@').unwrap_or((text, ""));
            let version = version.split('+').next().filter(|version| !version.is_empty()).map(str::to_owned);
            Some((program(name, version.as_deref())?, version))
        });
        let by_lock = || locks.first().map(|(file, program)| if *file == "yarn.lock" { yarn(tree) } else { *program });
        let by_mark = || MARKS.iter().find(|(file, _)| tree.exists(file)).map(|(_, program)| *program);
        let (program, version) = match named {
            Some((program, version)) => (program, version),
            None => (by_lock().or_else(by_mark).unwrap_or(Program::Npm), None),
        };
        let is_locked = locks.iter().any(|(_, owner)| owner.name() == program.name());
        let mut owners: Vec<&str> = locks.iter().map(|(_, owner)| owner.name()).collect();
        owners.dedup();
        let note = (owners.len() > 1).then(|| {
            let files: Vec<&str> = locks.iter().map(|(file, _)| *file).collect();
            let why = if package["packageManager"].is_string() {
                "as packageManager says"
            } else {
                "set packageManager in package.json to choose"
            };
            format!("there are several lock files ({}): {} is used, {why}", files.join(", "), program.name())
        });
        Self { program, version, is_locked, note }
    }

    /// The program that installs what is listed.
    pub fn install(&self) -> BuildStep {
        let locked = |locked, unlocked| if self.is_locked { locked } else { unlocked };
        let words: Vec<&str> = match self.program {
            Program::Npm => [&[locked("ci", "install"), "--include=dev"], NPM_QUIET].concat(),
            Program::Pnpm => {
                vec!["install", locked("--frozen-lockfile", "--no-frozen-lockfile"), "--prod=false", "--reporter=append-only"]
            }
            Program::YarnClassic => {
                let words = ["install", "--frozen-lockfile", "--production=false", "--non-interactive", "--no-progress"];
                words.into_iter().filter(|word| self.is_locked || *word != "--frozen-lockfile").collect()
            }
            Program::Yarn => vec!["install", locked("--immutable", "--no-immutable")],
            Program::Bun if self.is_locked => vec!["install", "--frozen-lockfile"],
            Program::Bun => vec!["install"],
        };
        let mut step = self.step(&words);
        if self.program == Program::Yarn {
            // What is installed has to be found by programs that Yarn does not start.
            step.env.push(("YARN_NODE_LINKER".to_owned(), "node-modules".to_owned()));
        }
        step
    }

    /// The program that runs a script.
    pub fn run(&self, script: &str) -> BuildStep {
        self.step(&["run", script])
    }

    /// The package manager with these arguments.
    pub fn step(&self, words: &[&str]) -> BuildStep {
        plan::step(std::iter::once(self.program.name()).chain(words.iter().copied()))
    }

    /// The package that has the program, for a machine without it.
    pub fn package(&self) -> String {
        let (name, usual) = match self.program {
            Program::Pnpm => ("pnpm", "10"),
            Program::YarnClassic => ("yarn", "1"),
            Program::Yarn => ("@yarnpkg/cli-dist", "4"),
            Program::Npm => ("npm", "latest"),
            Program::Bun => ("bun", "latest"),
        };
        format!("{name}@{}", self.version.as_deref().unwrap_or(usual))
    }
}

impl Program {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::YarnClassic | Self::Yarn => "yarn",
            Self::Bun => "bun",
        }
    }
}

/// The step that installs programs from npm's registry beside the project's packages.
pub(super) fn install_tools(packages: &[String]) -> BuildStep {
    let words = ["npm", "install", "--prefix", TOOLS, "--no-save", "--global=false"];
    plan::step(words.into_iter().chain(NPM_QUIET.iter().copied()).chain(packages.iter().map(String::as_str)))
}

fn program(name: &str, version: Option<&str>) -> Option<Program> {
    Some(match name {
        "npm" => Program::Npm,
        "pnpm" => Program::Pnpm,
        "yarn" if version.is_some_and(|version| version.starts_with("1.") || version == "1" || version.starts_with("0.")) => {
            Program::YarnClassic
        }
        "yarn" => Program::Yarn,
        "bun" => Program::Bun,
        _ => return None,
    })
}

/// The version of Yarn that wrote the lock file.
fn yarn(tree: &dyn SourceTree) -> Program {
    let is_modern = tree.exists(".yarnrc.yml") || tree.read("yarn.lock").is_some_and(|text| text.contains("__metadata:"));
    if is_modern { Program::Yarn } else { Program::YarnClassic }
}
