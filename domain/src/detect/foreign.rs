//! Projects in languages and site generators that are not built here. Pages among their files are no site: what would be served is their
//! source, with the passwords in it.

use super::{DetectError, Project, Reading, Weight};
use crate::workload::WorkloadSpec;

/// Files at the root that say what a project is; a `*` stands for any name.
const MARKS: &[(&str, &[&str])] = &[
    ("PHP", &["composer.json", "artisan"]),
    ("Ruby", &["Gemfile", "gems.rb", "config.ru", "*.gemspec"]),
    ("Jekyll or Hexo", &["_config.yml", "_config.yaml"]),
    ("Zola", &["zola.toml"]),
    ("Hugo", &["hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json"]),
    ("MkDocs", &["mkdocs.yml", "mkdocs.yaml"]),
    ("Sphinx", &["conf.py"]),
    ("Java", &["pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"]),
    ("Scala", &["build.sbt"]),
    ("Clojure", &["project.clj", "deps.edn"]),
    ("Deno", &["deno.json", "deno.jsonc"]),
    ("Elixir", &["mix.exs"]),
    ("Erlang", &["rebar.config"]),
    ("Gleam", &["gleam.toml"]),
    (".NET", &["*.csproj", "*.fsproj", "*.vbproj", "*.sln", "*.slnx"]),
    ("Swift", &["Package.swift"]),
    ("Dart", &["pubspec.yaml"]),
    ("Haskell", &["stack.yaml", "*.cabal"]),
    ("Crystal", &["shard.yml"]),
    ("Perl", &["cpanfile"]),
    ("Zig", &["build.zig"]),
];

/// Pages that a server runs, wherever they are among what would be served.
const PAGES: &[(&str, &[&str])] = &[
    ("PHP", &["*.php", "*.phtml"]),
    ("ASP", &["*.asp", "*.aspx", "*.cshtml"]),
    ("Java", &["*.jsp", "*.jspx"]),
    ("ColdFusion", &["*.cfm"]),
    ("CGI", &["*.cgi"]),
];

/// Maximum depth at which pages are searched for, and maximum number of directories.
const DEPTH: usize = 16;
const DIRECTORIES: usize = 5000;

/// Refuses to serve the source of another language as a site. Whoever names the directory in `mikrocloud.toml` has said what is served.
pub(super) fn check(project: &Project<'_>, reading: &Reading) -> Result<(), DetectError> {
    let plan = &reading.plan;
    let root = match &plan.workload {
        WorkloadSpec::Static(_) => Some(plan.output.as_str()),
        WorkloadSpec::Functions(set) => set.site.as_ref().map(|site| site.root.as_str()),
        WorkloadSpec::Server(_) => None,
    };
    let Some(root) = root.filter(|_| project.manifest.build.output.is_none()) else { return Ok(()) };
    // Elsewhere there is only what the build of a known generator leaves.
    let is_source = matches!(root, "" | "public") && reading.weight != Weight::Site;
    if (is_source || reading.weight == Weight::Build)
        && let Some(error) = marked(project).or_else(|| published_elsewhere(project, root).filter(|_| is_source))
    {
        return Err(error);
    }
    let mut left = DIRECTORIES;
    find_page(project, root, DEPTH, &mut left).map_or(Ok(()), |(language, file)| Err(unsupported(language, &file)))
}

/// The error about a project that says at its root in which other language it is.
pub(super) fn marked(project: &Project<'_>) -> Option<DetectError> {
    let files: Vec<_> = project.tree.list("").into_iter().filter(|entry| !entry.is_directory).collect();
    let first = |table: &'static [(&str, &[&str])]| {
        table.iter().find_map(|(language, patterns)| {
            let found = files.iter().find(|file| patterns.iter().any(|pattern| fits(&file.name, pattern)))?;
            Some(unsupported(language, &found.name))
        })
    };
    first(PAGES).or_else(|| first(MARKS))
}

/// The page of a language at the root, by its extension.
pub(super) fn root_page(project: &Project<'_>, language: &str) -> Option<String> {
    let patterns = PAGES.iter().find(|(known, _)| *known == language)?.1;
    let files = project.tree.list("").into_iter().filter(|entry| !entry.is_directory).map(|entry| entry.name);
    files.into_iter().find(|name| patterns.iter().any(|pattern| fits(name, pattern)))
}

/// The error about a project whose site is in another directory than this, by what it tells its other hosts.
fn published_elsewhere(project: &Project<'_>, root: &str) -> Option<DetectError> {
    let netlify = || {
        let table: toml::Table = project.tree.read("netlify.toml")?.parse().ok()?;
        Some(("netlify.toml", table.get("build")?.get("publish")?.as_str()?.to_owned()))
    };
    let vercel = || {
        let value: serde_json::Value = serde_json::from_str(&project.tree.read("vercel.json")?).ok()?;
        Some(("vercel.json", value.get("outputDirectory")?.as_str()?.to_owned()))
    };
    let (file, named) = netlify().or_else(vercel)?;
    let directory: Vec<_> = named.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let directory = directory.join("/");
    (directory != root).then(|| {
        let message = format!(
            "{file} says that the site is in `{}`, so nothing else is served: say how it is built in mikrocloud.toml, with [build] command \
             and [build] output",
            named.escape_debug()
        );
        DetectError::new("UNSUPPORTED", message)
    })
}

fn find_page(project: &Project<'_>, directory: &str, depth: usize, left: &mut usize) -> Option<(&'static str, String)> {
    *left = left.checked_sub(1)?;
    let path = |name: &str| if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
    for entry in project.tree.list(directory) {
        if entry.name.starts_with('.') || entry.name == "node_modules" {
            continue;
        }
        let found = if entry.is_directory {
            depth.checked_sub(1).and_then(|depth| find_page(project, &path(&entry.name), depth, left))
        } else {
            let language = PAGES.iter().find(|(_, patterns)| patterns.iter().any(|pattern| fits(&entry.name, pattern)));
            language.map(|(language, _)| (*language, path(&entry.name)))
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Returns true if a file has the name, or the extension after a `*`, regardless of case: servers compare extensions likewise.
fn fits(name: &str, pattern: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(ending) => name.len() > ending.len() && name.to_ascii_lowercase().ends_with(ending),
        None => name == pattern,
    }
}

fn unsupported(language: &str, file: &str) -> DetectError {
    let message = format!(
        "`{}` says that this is a {language} project, which is not built here, and its source is not served as a site: add a Dockerfile, say \
         in mikrocloud.toml how it is built and started ([build] command, [container] command), or name the directory of finished files with \
         [build] output = \"site\" (\".\" for all of them)",
        file.escape_debug()
    );
    DetectError::new("UNSUPPORTED", message)
}
