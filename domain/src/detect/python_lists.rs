//! Packages that a Python project lists, in any of the files in which they are listed.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use toml::{Table, Value};

use super::{DetectError, Project, plan};

/// Packages that a project lists.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// The file that decided.
    pub file: Option<&'static str>,
    /// Names of the packages, in the spelling in which they are compared (PEP 503).
    pub names: BTreeSet<String>,
    /// Requirements for pip.
    pub wanted: Wanted,
    /// Versions that a lock file fixes, as pip's constraints.
    pub constraints: Vec<String>,
    /// The versions of Python that the project says it runs with.
    pub requires_python: Option<String>,
}

/// Requirements for pip.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Wanted {
    #[default]
    Nothing,
    /// The lines of this file.
    File(&'static str),
    /// These lines, each a requirement.
    Lines(Vec<String>),
    /// The project itself, whose build knows what it needs.
    Project,
    /// The export of uv from its lock file.
    Uv,
}

/// Files of requirements, in the order in which they are looked for.
const REQUIREMENTS: &[&str] =
    &["requirements.txt", "requirements/production.txt", "requirements/prod.txt", "requirements/base.txt", "requirements.in"];

/// Maximum number of files that include each other.
const DEPTH: usize = 8;

/// Reads all that the project lists.
pub(super) fn read(project: &Project<'_>) -> Result<Lists, DetectError> {
    let pyproject = table(project, "pyproject.toml")?;
    let standard = pyproject.as_ref().and_then(|table| table.get("project")).and_then(Value::as_table);
    let poetry = pyproject.as_ref().and_then(|table| table.get("tool")?.get("poetry")?.as_table());
    let requires = standard.and_then(|table| table.get("requires-python")?.as_str()).map(str::to_owned);
    let locked = locked(project)?;
    let listed = pyproject.as_ref().map_or_else(Vec::new, |_| dependencies(standard, poetry));
    let names = || listed.iter().map(|line| name(line)).collect::<BTreeSet<_>>();
    let lists = |file, names, wanted| Lists {
        file: Some(file),
        names,
        wanted,
        constraints: Vec::new(),
        requires_python: requires.clone(),
    };
    if project.tree.exists("uv.lock") && project.tree.has_program("uv") {
        return Ok(lists("uv.lock", names(), Wanted::Uv));
    }
    if let (Some((lock, constraints)), false) = (&locked, listed.is_empty()) {
        return Ok(Lists { constraints: constraints.clone(), ..lists(lock, names(), Wanted::Lines(listed)) });
    }
    if let Some(file) = REQUIREMENTS.iter().find(|file| project.tree.exists(file)) {
        let mut requirements = Requirements::default();
        requirements.read(project, file, DEPTH);
        let wanted = match requirements {
            Requirements { ref lines, .. } if lines.is_empty() => Wanted::Nothing,
            // An installation that points back to the sources does not survive their move into the artifact.
            Requirements { is_editable: true, lines, .. } => Wanted::Lines(lines),
            _ => Wanted::File(file),
        };
        return Ok(lists(file, requirements.names, wanted));
    }
    if let Some(pipfile) = table(project, "Pipfile")? {
        let packages = pipfile.get("packages").and_then(Value::as_table);
        let lines: Vec<String> = packages.into_iter().flatten().filter_map(|(name, value)| requirement(name, value)).collect();
        let names = lines.iter().map(|line| name(line)).collect();
        let constraints = pipfile_lock(project)?;
        return Ok(Lists { constraints, ..lists("Pipfile", names, lines_or_nothing(lines)) });
    }
    let is_dynamic = standard
        .and_then(|table| table.get("dynamic")?.as_array())
        .is_some_and(|list| list.iter().any(|key| key.as_str() == Some("dependencies")));
    if is_dynamic
        || (standard.is_none() && poetry.is_none() && (project.tree.exists("setup.py") || project.tree.exists("setup.cfg")))
    {
        let text = ["setup.py", "setup.cfg"].iter().filter_map(|file| project.tree.read(file)).collect::<String>();
        // Only to know the framework: the project's own build says what is installed.
        let names = text.split(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).map(name).collect();
        let file = if is_dynamic { "pyproject.toml" } else { "setup.py" };
        return Ok(lists(file, names, Wanted::Project));
    }
    if pyproject.is_some() {
        return Ok(lists("pyproject.toml", names(), lines_or_nothing(listed)));
    }
    Ok(Lists::default())
}

fn lines_or_nothing(lines: Vec<String>) -> Wanted {
    if lines.is_empty() { Wanted::Nothing } else { Wanted::Lines(lines) }
}

/// The requirements of pyproject.toml: the standard's, and Poetry's own.
fn dependencies(standard: Option<&Table>, poetry: Option<&Table>) -> Vec<String> {
    let listed = standard.and_then(|table| table.get("dependencies")?.as_array());
    let own = poetry.and_then(|table| table.get("dependencies")?.as_table());
    let standard = listed.into_iter().flatten().filter_map(|line| Some(line.as_str()?.to_owned()));
    let own =
        own.into_iter().flatten().filter(|(name, _)| *name != "python").filter_map(|(name, value)| requirement(name, value));
    standard.chain(own).collect()
}

/// A requirement as pip reads it, from the tables of Poetry and Pipenv; `None` for an optional one.
fn requirement(name: &str, value: &Value) -> Option<String> {
    let table = match value {
        Value::String(version) => return Some(format!("{name}{}", specifier(version))),
        Value::Table(table) => table,
        // Several, by marker: pip takes the newest that fits.
        _ => return Some(name.to_owned()),
    };
    if table.get("optional").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let text = |key: &str| table.get(key).and_then(Value::as_str);
    let extras: Vec<&str> =
        table.get("extras").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let named = if extras.is_empty() { name.to_owned() } else { format!("{name}[{}]", extras.join(",")) };
    let place = match (text("git"), text("url").or(text("file")), text("path")) {
        (Some(address), ..) => {
            let revision = text("rev").or(text("tag")).or(text("branch")).or(text("ref"));
            Some(format!("git+{address}{}", revision.map(|revision| format!("@{revision}")).unwrap_or_default()))
        }
        (_, Some(address), _) => Some(address.to_owned()),
        (.., Some(path)) => return Some(if path.starts_with('.') { path.to_owned() } else { format!("./{path}") }),
        _ => None,
    };
    let marker = text("markers").map(|marker| format!(" ; {marker}")).unwrap_or_default();
    Some(match place {
        Some(place) => format!("{named} @ {place}{marker}"),
        None => format!("{named}{}{marker}", specifier(text("version").unwrap_or("*"))),
    })
}

/// A version as Poetry writes it, as pip reads it (<https://python-poetry.org/docs/dependency-specification>).
fn specifier(version: &str) -> String {
    if version.contains('|') {
        return String::new();
    }
    let parts = version.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "*");
    let parts: Vec<String> = parts
        .map(|part| match part.chars().next() {
            Some('^') => between(part[1..].trim(), true),
            Some('~') if !part.starts_with("~=") => between(part[1..].trim(), false),
            Some(c) if c.is_ascii_digit() => format!("=={part}"),
            _ => part.to_owned(),
        })
        .collect();
    parts.join(",")
}

/// The range from a version to the next that may break: `^` lets the first part that is not zero stand, `~` the first two.
fn between(version: &str, is_caret: bool) -> String {
    let numbers: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else { return format!(">={version}") };
    let last = numbers.len() - 1;
    let kept = if is_caret { numbers.iter().position(|number| *number != 0).unwrap_or(last) } else { last.min(1) };
    let mut next: Vec<String> = numbers[..kept].iter().map(u64::to_string).collect();
    next.push((numbers[kept] + 1).to_string());
    format!(">={version},<{}", next.join("."))
}

/// The versions of a lock file of Poetry, PDM or uv: all have the same list. A package with several versions is left to pip.
fn locked(project: &Project<'_>) -> Result<Option<(&'static str, Vec<String>)>, DetectError> {
    for file in ["uv.lock", "poetry.lock", "pdm.lock"] {
        // Poetry and PDM keep theirs beside pyproject.toml; a lock file over 1 MiB is left to pip as well.
        let Some(table) = table(project, file)? else { continue };
        let packages = table.get("package").and_then(Value::as_array);
        let pairs = packages.into_iter().flatten().filter_map(|package| {
            // A version of a directory or repository is in no index.
            let source = package.get("source").and_then(Value::as_table);
            let is_indexed = source.is_none_or(|source| {
                !["git", "directory", "editable", "virtual", "path", "url"]
                    .iter()
                    .any(|key| source.contains_key(*key) || source.get("type").and_then(Value::as_str) == Some(key))
            });
            Some((package.get("name")?.as_str()?.to_owned(), package.get("version")?.as_str()?.to_owned())).filter(|_| is_indexed)
        });
        return Ok(Some((file, once(pairs.collect()))));
    }
    Ok(None)
}

fn once(mut pairs: Vec<(String, String)>) -> Vec<String> {
    pairs.sort();
    pairs.dedup();
    let several = |name: &str| pairs.iter().filter(|(other, _)| other == name).count() > 1;
    pairs.iter().filter(|(name, _)| !several(name)).map(|(name, version)| format!("{name}=={version}")).collect()
}

fn pipfile_lock(project: &Project<'_>) -> Result<Vec<String>, DetectError> {
    let Some(text) = project.tree.read("Pipfile.lock") else { return Ok(Vec::new()) };
    let json: Json = serde_json::from_str(&text)
        .map_err(|error| DetectError::new("SOURCE_INVALID", format!("Pipfile.lock cannot be read: {error}")))?;
    let packages = json["default"].as_object();
    Ok(packages
        .into_iter()
        .flatten()
        .filter_map(|(name, package)| Some(format!("{name}{}", package["version"].as_str()?)))
        .collect())
}

fn table(project: &Project<'_>, file: &str) -> Result<Option<Table>, DetectError> {
    let Some(text) = project.tree.read(file) else { return Ok(None) };
    let parsed = text.parse();
    parsed.map(Some).map_err(|error: toml::de::Error| {
        DetectError::new("SOURCE_INVALID", format!("{file} cannot be read: {}", error.message()))
    })
}

/// Files of requirements, with what they include.
#[derive(Default)]
struct Requirements {
    names: BTreeSet<String>,
    /// All lines, with nothing editable, and paths as they are seen from the project.
    lines: Vec<String>,
    is_editable: bool,
}

impl Requirements {
    fn read(&mut self, project: &Project<'_>, file: &str, depth: usize) {
        let Some(text) = project.tree.read(file) else { return };
        let beside = |path: &str| plan::join(file.rsplit_once('/').map_or("", |(parent, _)| parent), path.trim());
        let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
        for line in text.lines().map(without_comment).filter(|line| !line.is_empty()) {
            if let Some(path) = option(line, "-r", "--requirement") {
                if depth > 0 {
                    self.read(project, &beside(path), depth - 1);
                }
            } else if let Some(path) = option(line, "-c", "--constraint") {
                self.lines.push(format!("-c {}", beside(path)));
            } else if let Some(place) = option(line, "-e", "--editable") {
                self.is_editable = true;
                self.lines.push(place.trim().to_owned());
            } else {
                if !line.starts_with('-') {
                    self.names.insert(name(line));
                }
                self.lines.push(line.to_owned());
            }
        }
    }
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') { "" } else { line.split_once(" #").map_or(line, |(text, _)| text).trim_end() }
}

/// The value of an option of a requirements file, in each of the forms that pip takes.
fn option<'a>(line: &'a str, short: &str, long: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix(long) {
        return rest.strip_prefix(['=', ' ', '\t']).map(str::trim);
    }
    line.strip_prefix(short).map(str::trim).filter(|rest| !rest.is_empty())
}

/// A package's name from a line that requires it.
pub(super) fn name(line: &str) -> String {
    let end = line.find(|c: char| !(c.is_alphanumeric() || "._-".contains(c))).unwrap_or(line.len());
    // An extra that brings a server with it counts as the server.
    if line[..end].eq_ignore_ascii_case("fastapi") && line[end..].starts_with("[standard") {
        return "fastapi-standard".to_owned();
    }
    line[..end].to_ascii_lowercase().replace(['_', '.'], "-")
}
