//! The frameworks of Node that are known by name.

use super::package::Package;
use super::{DetectError, Project};

/// Result of a framework's build.
pub(super) enum Leaves {
    /// Files in this directory.
    Site(String),
    /// A server that is started like this.
    Server(&'static [&'static str]),
}

/// A framework that was recognised.
pub(super) struct Framework {
    /// As people call it.
    pub name: &'static str,
    /// Evidence of the framework.
    pub reason: String,
    /// Build command where package.json has no `build` script: a program in `node_modules/.bin` and its arguments.
    pub build: &'static [&'static str],
    /// Result of its build.
    pub leaves: Leaves,
}

/// Frameworks whose build leaves files in a fixed directory: package, name, directory, build. The ones that others are built
/// upon come last.
const SITES: &[(&str, &str, &str, &[&str])] = &[
    ("gatsby", "Gatsby", "public", &["gatsby", "build"]),
    ("@docusaurus/core", "Docusaurus", "build", &["docusaurus", "build"]),
    ("@11ty/eleventy", "Eleventy", "_site", &["eleventy"]),
    ("react-scripts", "Create React App", "build", &["react-scripts", "build"]),
    ("vite", "Vite", "dist", &["vite", "build"]),
];

/// The framework that package.json lists, the more specific first.
pub(super) fn find(project: &Project<'_>, package: &Package) -> Result<Option<Framework>, DetectError> {
    if package.has("next") {
        return Ok(Some(next(project)));
    }
    if package.has("astro") {
        return Ok(Some(astro(project)));
    }
    if package.has("@sveltejs/kit") {
        return svelte_kit(project, package).map(Some);
    }
    if package.has("nuxt") {
        return Ok(Some(nuxt(package)));
    }
    let known = SITES.iter().find(|(name, ..)| package.has(name));
    Ok(known.map(|(listed, name, directory, build)| {
        let directory = configured_directory(project, listed).unwrap_or_else(|| (*directory).to_owned());
        Framework { name, reason: lists(listed), build, leaves: Leaves::Site(directory) }
    }))
}

fn lists(package: &str) -> String {
    format!("package.json lists `{package}`")
}

fn next(project: &Project<'_>) -> Framework {
    let config = config(project, "next.config", &["js", "mjs", "ts", "cjs"]);
    let exports = config
        .is_some_and(|text| ["output:'export'", "output:\"export\"", "output:`export`"].iter().any(|set| text.contains(set)));
    let (reason, leaves) = if exports {
        (format!("{} and its configuration sets output: 'export'", lists("next")), Leaves::Site("out".to_owned()))
    } else {
        let start = &["node_modules/.bin/next", "start", "-p", "$PORT", "-H", "127.0.0.1"];
        (format!("{} without output: 'export'", lists("next")), Leaves::Server(start))
    };
    Framework { name: "Next.js", reason, build: &["next", "build"], leaves }
}

fn astro(project: &Project<'_>) -> Framework {
    let config = config(project, "astro.config", &["mjs", "js", "ts", "mts", "cjs"]);
    let (reason, leaves) = if config.is_some_and(|text| text.contains("@astrojs/node")) {
        (
            format!("{} and its configuration uses @astrojs/node", lists("astro")),
            Leaves::Server(&["node", "dist/server/entry.mjs"]),
        )
    } else {
        (lists("astro"), Leaves::Site("dist".to_owned()))
    };
    Framework { name: "Astro", reason, build: &["astro", "build"], leaves }
}

fn svelte_kit(project: &Project<'_>, package: &Package) -> Result<Framework, DetectError> {
    let (adapter, leaves) = if package.has("@sveltejs/adapter-static") {
        ("@sveltejs/adapter-static", Leaves::Site("build".to_owned()))
    } else if package.has("@sveltejs/adapter-node") {
        ("@sveltejs/adapter-node", Leaves::Server(&["node", "build"]))
    } else if let Some(output) = &project.manifest.build.output {
        ("@sveltejs/kit", Leaves::Site(output.clone()))
    } else {
        return Err(DetectError::new(
            "ADAPTER_MISSING",
            "package.json lists `@sveltejs/kit` without an adapter that says what its build leaves: add @sveltejs/adapter-static for a site \
             of files or @sveltejs/adapter-node for a server, and name it in svelte.config.js",
        ));
    };
    Ok(Framework { name: "SvelteKit", reason: lists(adapter), build: &["vite", "build"], leaves })
}

fn nuxt(package: &Package) -> Framework {
    let generates = package.script("build").is_some_and(|script| script.contains("generate"));
    if generates || package.script("generate").is_some() {
        let reason = format!("{} with a script that generates", lists("nuxt"));
        return Framework { name: "Nuxt", reason, build: &["nuxt", "generate"], leaves: Leaves::Site("dist".to_owned()) };
    }
    let leaves = Leaves::Server(&["node", ".output/server/index.mjs"]);
    Framework { name: "Nuxt", reason: lists("nuxt"), build: &["nuxt", "build"], leaves }
}

/// The directory that Vite's configuration names in plain words.
fn configured_directory(project: &Project<'_>, package: &str) -> Option<String> {
    if package != "vite" {
        return None;
    }
    let text = config(project, "vite.config", &["js", "ts", "mjs", "mts", "cjs"])?;
    let rest = text.split_once("outDir:")?.1;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let directory = rest[1..].split(quote).next()?.trim_start_matches("./").trim_end_matches('/');
    let plain = !directory.is_empty() && !directory.starts_with('/') && !directory.split('/').any(|part| part == "..");
    plain.then(|| directory.to_owned())
}

/// A configuration file's text without spaces and comments at the start of lines.
fn config(project: &Project<'_>, name: &str, endings: &[&str]) -> Option<String> {
    let text = endings.iter().find_map(|ending| project.tree.read(&format!("{name}.{ending}")))?;
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    Some(lines.flat_map(|line| line.chars().filter(|c| !c.is_whitespace())).collect())
}
