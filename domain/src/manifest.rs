//! The project file, `mikrocloud.toml`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::ProjectName;
use crate::variable;

/// The name of the project file.
pub const FILE_NAME: &str = "mikrocloud.toml";

/// The whole project file. Every table may be absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// Description of the project.
    pub project: ProjectSection,
    /// Settings of the build.
    pub build: BuildSection,
    /// Settings of its server.
    pub container: Option<ContainerSection>,
    /// Settings of its functions.
    pub functions: Option<FunctionsSection>,
    /// Target of its deployments.
    pub deploy: DeploySection,
    /// Variables that are no secret; the ones set with `mikrocloud env set` win over them.
    pub env: BTreeMap<String, String>,
    /// Budget of its costs.
    pub budget: Option<BudgetSection>,
}

/// `[project]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectSection {
    /// The project's name, used by the CLI when `--project` is not given.
    pub name: Option<String>,
    /// Kind of the project; detected if absent.
    pub kind: Option<Kind>,
}

/// Kind of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Files.
    Static,
    /// Functions run on demand, with an optional static site.
    Function,
    /// A program that listens on `$PORT`.
    Container,
}

/// `[build]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BuildSection {
    /// One command, or several in a list. Each is split into words like a shell does, but no shell runs it.
    pub command: Option<Commands>,
    /// The directory that holds the result, relative to the project.
    pub output: Option<String>,
    /// The directory of the project within what was fetched, such as `apps/web`; a project file in it wins over this one.
    pub directory: Option<String>,
}

/// One command, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a command as a string, or a list of commands")]
pub enum Commands {
    /// One.
    One(String),
    /// Several, run in order.
    Several(Vec<String>),
}

impl Commands {
    /// The commands in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(command) => std::slice::from_ref(command).iter(),
            Self::Several(commands) => commands.iter(),
        }
        .map(String::as_str)
    }
}

/// `[container]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContainerSection {
    /// The port the program listens on, if it cannot take it from `$PORT`; with a Dockerfile, the port inside of the container.
    pub port: Option<u16>,
    /// CPU cores as a share, such as 0.5.
    pub cpu: Option<f64>,
    /// Memory limit, MiB.
    pub memory_mib: Option<u64>,
    /// The program and its arguments; `$PORT` is replaced.
    pub command: Option<String>,
    /// The path that is probed before traffic is sent.
    pub health_path: Option<String>,
    /// Number of processes.
    pub replicas: Option<u32>,
}

/// `[functions]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionsSection {
    /// The directory they are in; `functions` when absent.
    pub directory: Option<String>,
    /// Memory limit of one function's process, MiB.
    pub memory_mib: Option<u64>,
    /// Timeout of one call, in seconds.
    pub timeout_seconds: Option<u64>,
    /// Maximum number of concurrent calls of one function.
    pub concurrency: Option<u32>,
}

/// `[deploy]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeploySection {
    /// The clouds it is deployed to.
    pub clouds: Option<Vec<String>>,
    /// A cloud-neutral region, such as `eu-west`.
    pub region: Option<String>,
}

/// `[budget]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSection {
    /// The most the project may cost, USD per month.
    pub monthly_usd: Option<f64>,
}

/// Error in a project file: position, key and remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{FILE_NAME}{}: {message}", line.map(|line| format!(" line {line}")).unwrap_or_default())]
pub struct ManifestError {
    /// The line, counted from 1, where one can be named.
    pub line: Option<usize>,
    /// The problem and its remedy.
    pub message: String,
}

/// The largest project file that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

impl Manifest {
    /// Reads a project file and checks it.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_BYTES {
            let message = format!("the file has {} bytes: keep it within {MAX_BYTES}", text.len());
            return Err(ManifestError { line: None, message });
        }
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let problem = error.message().trim().replace('\n', ", ");
            let message =
                line.and_then(|line| place_at(text, line)).map_or(problem.clone(), |place| format!("{place}: {problem}"));
            ManifestError { line, message }
        })?;
        manifest.check(text)?;
        Ok(manifest)
    }

    /// The JSON Schema of the file, for editors.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    fn check(&self, text: &str) -> Result<(), ManifestError> {
        let fail = |table: &str, key: &str, message: String| {
            let place = if key.is_empty() { format!("[{table}]") } else { format!("{table}.{key}") };
            Err(ManifestError { line: line_of(text, table, key), message: format!("{place}: {message}") })
        };
        if let Some(name) = &self.project.name
            && let Err(error) = name.parse::<ProjectName>()
        {
            return fail("project", "name", error.to_string());
        }
        self.check_kind(&fail)?;
        self.check_commands(&fail)?;
        for (table, key, path) in [
            ("build", "output", self.build.output.as_deref()),
            ("build", "directory", self.build.directory.as_deref()),
            ("functions", "directory", self.functions.as_ref().and_then(|f| f.directory.as_deref())),
        ] {
            if path.is_some_and(|path| !is_inside(path)) {
                return fail(table, key, "name a directory inside the project, without `..` and not absolute".to_owned());
            }
        }
        if let Some(container) = &self.container {
            check_container(container, &fail)?;
        }
        if let Some(functions) = &self.functions {
            check_range(&fail, "functions", "memory_mib", functions.memory_mib, 16, 65_536)?;
            check_range(&fail, "functions", "timeout_seconds", functions.timeout_seconds, 1, 900)?;
            check_range(&fail, "functions", "concurrency", functions.concurrency.map(u64::from), 1, 1000)?;
        }
        if self.budget.as_ref().and_then(|b| b.monthly_usd).is_some_and(|usd| !(usd.is_finite() && usd >= 0.0)) {
            return fail("budget", "monthly_usd", "give an amount of USD that is not negative".to_owned());
        }
        for (name, value) in &self.env {
            if let Err(error) = variable::check(name, value) {
                return fail("env", name, error.to_string());
            }
        }
        Ok(())
    }

    fn check_kind(&self, fail: &Fail<'_>) -> Result<(), ManifestError> {
        match self.project.kind {
            Some(Kind::Static) if self.container.is_some() => fail(
                "container",
                "",
                "a project of kind `static` runs no program: remove this table, or set project.kind to `container`".to_owned(),
            ),
            Some(Kind::Static | Kind::Container) if self.functions.is_some() => fail(
                "functions",
                "",
                "only projects of kind `function` have functions: remove this table, or set project.kind to `function`"
                    .to_owned(),
            ),
            Some(Kind::Function) if self.container.is_some() => fail(
                "container",
                "",
                "a project of kind `function` runs no server: remove this table, or set project.kind to `container`".to_owned(),
            ),
            None if self.container.is_some() && self.functions.is_some() => {
                fail("functions", "", "a project has either [container] or [functions]: remove one of them".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn check_commands(&self, fail: &Fail<'_>) -> Result<(), ManifestError> {
        let commands = self.build.command.iter().flat_map(Commands::iter).map(|command| ("build", command));
        let start = self.container.iter().filter_map(|c| c.command.as_deref()).map(|command| ("container", command));
        for (table, command) in commands.chain(start) {
            if let Err(message) = split_command(command) {
                return fail(table, "command", message);
            }
        }
        Ok(())
    }
}

type Fail<'a> = dyn Fn(&str, &str, String) -> Result<(), ManifestError> + 'a;

fn check_container(container: &ContainerSection, fail: &Fail<'_>) -> Result<(), ManifestError> {
    check_range(fail, "container", "memory_mib", container.memory_mib, 16, 1_048_576)?;
    check_range(fail, "container", "replicas", container.replicas.map(u64::from), 1, 64)?;
    // What else a port must be is known once it is known whether the server runs in a container.
    check_range(fail, "container", "port", container.port.map(u64::from), 1, 65_535)?;
    if container.cpu.is_some_and(|cpu| !(cpu.is_finite() && cpu > 0.0 && cpu <= 256.0)) {
        return fail("container", "cpu", "give a number of cores above 0, such as 0.5".to_owned());
    }
    if container.health_path.as_ref().is_some_and(|path| !path.starts_with('/') || path.contains(char::is_whitespace)) {
        return fail("container", "health_path", "give a path that starts with `/`".to_owned());
    }
    Ok(())
}

fn check_range(fail: &Fail<'_>, table: &str, key: &str, value: Option<u64>, low: u64, high: u64) -> Result<(), ManifestError> {
    match value {
        Some(value) if !(low..=high).contains(&value) => {
            fail(table, key, format!("{value} is out of range: give {low} to {high}"))
        }
        _ => Ok(()),
    }
}

/// Splits a command into words as a shell would. Operators of the shell are refused, because no shell runs it.
pub fn split_command(command: &str) -> Result<Vec<String>, String> {
    let words = shell_words::split(command).map_err(|_| "a quote is never closed: close it".to_owned())?;
    if words.is_empty() {
        return Err("the command is empty: name a program, or remove the key".to_owned());
    }
    if command.contains('\0') {
        return Err("the command holds a NUL byte: remove it".to_owned());
    }
    for word in &words {
        let operator = ["&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"].contains(&word.as_str());
        if operator || word.starts_with("$(") || word.starts_with('`') || word.ends_with(';') {
            return Err(format!(
                "`{word}` is for a shell, and no shell runs this: list several commands as [\"first\", \"second\"], or put them into a script"
            ));
        }
    }
    Ok(words)
}

/// Returns true if a path stays inside of the directory that it is relative to.
pub(crate) fn is_inside(path: &str) -> bool {
    let path = std::path::Path::new(path);
    path.components().all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir))
}

/// The key that a line sets, with its table before it, such as `build.output`; `None` for a line that sets none.
fn place_at(text: &str, line: usize) -> Option<String> {
    let lines: Vec<_> = text.lines().take(line).map(str::trim).collect();
    let (key, _) = lines.last()?.split_once('=')?;
    let table = lines.iter().rev().find_map(|line| line.strip_prefix('[')?.split(']').next());
    Some(table.map(|table| format!("{}.", table.trim())).unwrap_or_default() + key.trim())
}

/// The line, counted from 1, of a key in a table of a file that parsed; of the table's head when the key is empty or not found.
fn line_of(text: &str, table: &str, key: &str) -> Option<usize> {
    let mut head = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            if head.is_some() {
                break;
            }
            head = (name.trim() == table).then_some(index + 1);
        } else if head.is_some() && !key.is_empty() {
            let given = line.split('=').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
            if given == key {
                return Some(index + 1);
            }
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        Manifest::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_full_file_is_read() {
        let text = r#"
            [project]
            name = "shop"
            kind = "container"
            [build]
            command = ["npm ci", "npm run build"]
            output = "dist"
            [container]
            port = 3000
            cpu = 0.5
            memory_mib = 256
            command = "node server.js --port $PORT"
            health_path = "/health"
            [deploy]
            clouds = ["local"]
            region = "eu-west"
            [env]
            GREETING = "hello"
            [budget]
            monthly_usd = 12.5
        "#;
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.build.command.unwrap().iter().collect::<Vec<_>>(), ["npm ci", "npm run build"]);
        assert_eq!(manifest.container.unwrap().port, Some(3000));
        assert_eq!(Manifest::parse("").unwrap(), Manifest::default());
    }

    #[test]
    fn errors_name_the_line_the_key_and_the_remedy() {
        insta::assert_snapshot!(error("[project]\nname = \"shop\"\ncolour = 1\n"), @"mikrocloud.toml line 3: project.colour: unknown field `colour`, expected `name` or `kind`");
        insta::assert_snapshot!(error("[container]\nport = \"x\"\n"), @r#"mikrocloud.toml line 2: container.port: invalid type: string "x", expected u16"#);
        insta::assert_snapshot!(error("[build]\ncommand = 3\n"), @"mikrocloud.toml line 2: build.command: expected a command as a string, or a list of commands");
        insta::assert_snapshot!(error("[project]\nkind = \"static\"\n\n[container]\nport = 3000\n"), @"mikrocloud.toml line 4: [container]: a project of kind `static` runs no program: remove this table, or set project.kind to `container`");
        insta::assert_snapshot!(error("[build]\noutput = \"../x\"\n"), @"mikrocloud.toml line 2: build.output: name a directory inside the project, without `..` and not absolute");
        insta::assert_snapshot!(error("[build]\ncommand = \"make && rm -rf /\"\n"), @r#"mikrocloud.toml line 2: build.command: `&&` is for a shell, and no shell runs this: list several commands as ["first", "second"], or put them into a script"#);
        insta::assert_snapshot!(error("[env]\nPORT = \"1\"\n"), @"mikrocloud.toml line 2: env.PORT: `PORT` is set by MikroCloud: choose another name");
        insta::assert_snapshot!(error("[container]\nport = 0\n"), @"mikrocloud.toml line 2: container.port: 0 is out of range: give 1 to 65535");
        insta::assert_snapshot!(error("[project\n"), @"mikrocloud.toml line 1: unclosed table, expected `]`");
    }

    #[test]
    fn the_schema_knows_every_table() {
        let schema = Manifest::schema();
        for table in ["project", "build", "container", "functions", "deploy", "env", "budget"] {
            assert!(schema["properties"].get(table).is_some(), "{table}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = Manifest::parse(&text);
        }
    }
}
