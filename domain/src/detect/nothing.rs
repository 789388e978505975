//! The error for a project of which nothing says how to build it.

use super::{DetectError, Project, SourceTree};
use crate::manifest::Kind;

/// Files by which a subdirectory is seen to hold a project.
const MARKS: &[&str] = &[
    "package.json",
    "requirements.txt",
    "pyproject.toml",
    "Pipfile",
    "go.mod",
    "Cargo.toml",
    "composer.json",
    "Gemfile",
    "pom.xml",
    "build.gradle",
    "deno.json",
    "Dockerfile",
    "Procfile",
    "index.html",
    "mkdocs.yml",
];

/// Directories that hold the members of a workspace, rather than a project.
const PARENTS: &[&str] = &["apps", "packages", "services", "projects", "examples", "sites"];

/// Maximum number of subdirectories that the message names.
const NAMED: usize = 4;

/// The error, which names what is there and what to do.
pub(super) fn error(project: &Project<'_>) -> DetectError {
    let message = match project.kind {
        None => {
            let there = there(project.tree);
            format!(
                "nothing that can be built was found: {there}. Say what it is in mikrocloud.toml: [build] output = \"site\" for a directory of \
                 files, or [container] command = \"./server --port $PORT\" for a program"
            )
        }
        Some(Kind::Static) => "mikrocloud.toml says that this is a static site, but there is no build of one and no .html file: name the directory of \
                               files with [build] output = \"site\""
            .to_owned(),
        Some(Kind::Function) => {
            "mikrocloud.toml says that this has functions, but there is no .js, .mjs or .py file in the functions directory: add one, or \
             name the directory with [functions] directory = \"...\""
                .to_owned()
        }
        Some(Kind::Container) => "mikrocloud.toml says that this is a server, but no way to start it was found: name it with [container] command = \
                                  \"./server --port $PORT\", or in a Procfile"
            .to_owned(),
    };
    DetectError::new("NOTHING_DETECTED", message)
}

/// Describes what is there instead: subdirectories with projects, or a few names.
fn there(tree: &dyn SourceTree) -> String {
    let mut found = Vec::new();
    for entry in tree.list("").into_iter().filter(|entry| entry.is_directory && !entry.name.starts_with('.')) {
        let inside = if PARENTS.contains(&entry.name.as_str()) { tree.list(&entry.name) } else { Vec::new() };
        let members = inside.iter().filter(|member| member.is_directory).map(|member| format!("{}/{}", entry.name, member.name));
        for directory in std::iter::once(entry.name.clone()).chain(members) {
            if let Some(mark) = MARKS.iter().find(|mark| tree.exists(&format!("{directory}/{mark}"))) {
                found.push((directory, *mark));
            }
        }
    }
    if let Some((first, _)) = found.first() {
        let named: Vec<_> = found.iter().take(NAMED).map(|(directory, mark)| format!("{directory} has {mark}")).collect();
        let more = if found.len() > NAMED { format!(", and {} more", found.len() - NAMED) } else { String::new() };
        return format!(
            "{}{more}; deploy one of them with --directory {first}, or [build] directory = \"{first}\"",
            named.join(", ")
        );
    }
    let names: Vec<_> = tree.list("").into_iter().filter(|entry| !entry.name.starts_with('.')).map(|entry| entry.name).collect();
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| name.escape_debug().to_string()).collect();
    match names.len() {
        0 => "there are no files (a .gitignore may leave them out)".to_owned(),
        several if several > NAMED => format!("there are {} and {} more", shown.join(", "), several - NAMED),
        _ => format!("there is only {}", shown.join(", ")),
    }
}
