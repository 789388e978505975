//! The frameworks of Node that are known by name.

use super::package::Package;
use super::{DetectError, Project, plan};
use crate::build::Alternative;
use crate::workload::{StaticSite, WorkloadSpec};

/// Result of a framework's build.
pub(super) enum Leaves {
    /// Files in this directory.
    Site(String),
    /// A server that is started like this, unless a script of the project starts it otherwise.
    Server(Vec<String>),
}

/// A framework that was recognised.
pub(super) struct Framework {
    /// As people call it.
    pub name: &'static str,
    /// Evidence of the framework.
    pub reason: String,
    /// Build command where package.json has no script for it: a program in `node_modules/.bin` and its arguments.
    pub build: &'static [&'static str],
    /// Result of its build.
    pub leaves: Leaves,
    /// Its program, whose call in a script is the framework's own start.
    pub program: &'static str,
    /// A site whatever the scripts say.
    pub is_only_site: bool,
    /// Results that the build may leave instead.
    pub alternatives: Vec<Alternative>,
    /// Variables of the build.
    pub build_env: &'static [(&'static str, &'static str)],
    /// Remarks for the log.
    pub note: Option<String>,
}

/// Frameworks whose build leaves files: package, name, usual directory, build. The ones that others are built upon come last.
const SITES: &[(&str, &str, &str, &[&str])] = &[
    ("gatsby", "Gatsby", "public", &["gatsby", "build"]),
    ("@docusaurus/core", "Docusaurus", "build", &["docusaurus", "build"]),
    ("@11ty/eleventy", "Eleventy", "_site", &["eleventy"]),
    ("hexo", "Hexo", "public", &["hexo", "generate"]),
    ("vitepress", "VitePress", ".vitepress/dist", &["vitepress", "build"]),
    ("vuepress", "VuePress", ".vuepress/dist", &["vuepress", "build"]),
    ("@rspress/core", "Rspress", "doc_build", &["rspress", "build"]),
    ("rspress", "Rspress", "doc_build", &["rspress", "build"]),
    ("@slidev/cli", "Slidev", "dist", &["slidev", "build"]),
    ("@angular/core", "Angular", "dist", &["ng", "build"]),
    ("react-scripts", "Create React App", "build", &["react-scripts", "build"]),
    ("@vue/cli-service", "Vue CLI", "dist", &["vue-cli-service", "build"]),
    ("ember-cli", "Ember", "dist", &["ember", "build", "--environment=production"]),
    ("@stencil/core", "Stencil", "www", &["stencil", "build"]),
    ("@rsbuild/core", "Rsbuild", "dist", &["rsbuild", "build"]),
    ("parcel", "Parcel", "dist", &["parcel", "build"]),
    ("vite", "Vite", "dist", &["vite", "build"]),
];

/// Servers that a framework's build may leave, whatever it was expected to leave: the file, and how it is started.
const SERVERS: &[(&str, &[&str])] = &[
    (".output/server/index.mjs", &["node", ".output/server/index.mjs"]),
    ("dist/server/entry.mjs", &["node", "dist/server/entry.mjs"]),
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
        return Ok(Some(nuxt(project, package)));
    }
    if package.has("@react-router/dev") {
        return Ok(Some(react_router(project)));
    }
    if package.has("@builder.io/qwik-city") || package.has("@qwik.dev/router") {
        return qwik(project, package);
    }
    let known = SITES.iter().find(|(name, ..)| package.has(name) && (*name != "vite" || is_vite_site(project, package)));
    Ok(known.map(|(listed, name, directory, build)| {
        let directory = if *listed == "vite" { vite_directory(project) } else { None }.unwrap_or_else(|| (*directory).to_owned());
        Framework { program: build[0], build, ..Framework::new(name, lists(listed), Leaves::Site(directory)) }
    }))
}

impl Framework {
    fn new(name: &'static str, reason: String, leaves: Leaves) -> Self {
        let (build_env, note) = (&[][..], None);
        Self { name, reason, build: &[], leaves, program: "", is_only_site: false, alternatives: servers(), build_env, note }
    }
}

/// The servers that a build may leave.
pub(super) fn servers() -> Vec<Alternative> {
    let server = |(evidence, command): &(&str, &[&str])| Alternative {
        evidence: (*evidence).to_owned(),
        output: String::new(),
        workload: WorkloadSpec::Server(plan::workload(plan::command(command))),
    };
    SERVERS.iter().map(server).collect()
}

/// A site that a build may leave, by its first page.
fn site(directory: &str) -> Alternative {
    Alternative {
        evidence: format!("{directory}/index.html"),
        output: directory.to_owned(),
        workload: WorkloadSpec::Static(StaticSite::default()),
    }
}

fn lists(package: &str) -> String {
    format!("package.json lists `{package}`")
}

fn next(project: &Project<'_>) -> Framework {
    let config = config(project, "next.config", &["js", "mjs", "ts", "mts", "cjs"]).unwrap_or_default();
    let named = |value: &str| ['\'', '"', '`'].iter().any(|quote| config.contains(&format!("{quote}{value}{quote}")));
    let exports = ["output:'export'", "output:\"export\"", "output:`export`"].iter().any(|set| config.contains(set));
    let (reason, leaves) = if exports {
        (format!("{} and its configuration sets output: 'export'", lists("next")), Leaves::Site("out".to_owned()))
    } else {
        let start = plan::command(&["node_modules/.bin/next", "start", "-p", "$PORT", "-H", "127.0.0.1"]);
        (format!("{} without output: 'export'", lists("next")), Leaves::Server(start))
    };
    let alternatives = if !exports && named("export") { vec![site("out")] } else { Vec::new() };
    Framework {
        program: "next",
        build: &["next", "build"],
        is_only_site: exports,
        alternatives,
        ..Framework::new("Next.js", reason, leaves)
    }
}

fn astro(project: &Project<'_>) -> Framework {
    let config = config(project, "astro.config", &["mjs", "js", "ts", "mts", "cjs"]);
    let (reason, leaves) = if config.is_some_and(|text| text.contains("@astrojs/node")) {
        (
            format!("{} and its configuration uses @astrojs/node", lists("astro")),
            Leaves::Server(plan::command(&["node", "dist/server/entry.mjs"])),
        )
    } else {
        (lists("astro"), Leaves::Site("dist".to_owned()))
    };
    Framework { program: "astro", build: &["astro", "build"], ..Framework::new("Astro", reason, leaves) }
}

fn svelte_kit(project: &Project<'_>, package: &Package) -> Result<Framework, DetectError> {
    let node = || Leaves::Server(plan::command(&["node", "build"]));
    let (adapter, leaves) = if package.has("@sveltejs/adapter-static") {
        ("@sveltejs/adapter-static", Leaves::Site("build".to_owned()))
    } else if package.has("@sveltejs/adapter-node") || package.has("@sveltejs/adapter-auto") {
        (if package.has("@sveltejs/adapter-node") { "@sveltejs/adapter-node" } else { "@sveltejs/adapter-auto" }, node())
    } else if let Some(output) = &project.manifest.build.output {
        ("@sveltejs/kit", Leaves::Site(output.clone()))
    } else {
        return Err(DetectError::new(
            "ADAPTER_MISSING",
            "package.json lists `@sveltejs/kit` without an adapter that says what its build leaves: add @sveltejs/adapter-static for a site \
             of files or @sveltejs/adapter-node for a server, and name it in svelte.config.js or vite.config",
        ));
    };
    let mut framework =
        Framework { program: "vite", build: &["vite", "build"], ..Framework::new("SvelteKit", lists(adapter), leaves) };
    if adapter == "@sveltejs/adapter-auto" {
        // adapter-auto chooses by the variables of hosts that it knows: this is the one whose choice is a plain Node server.
        framework.build_env = &[("GCP_BUILDPACKS", "1")];
        framework.note = Some(
            "@sveltejs/adapter-auto is told to take @sveltejs/adapter-node: list that one, or adapter-static, to choose yourself"
                .to_owned(),
        );
    }
    Ok(framework)
}

fn nuxt(project: &Project<'_>, package: &Package) -> Framework {
    let generates = package.script("build").is_some_and(|script| script.contains("generate"));
    let is_site = generates || !project.may_serve();
    let (reason, leaves, build): (_, _, &[&str]) = if is_site {
        (
            format!("{}, whose pages are generated", lists("nuxt")),
            Leaves::Site(".output/public".to_owned()),
            &["nuxt", "generate"],
        )
    } else {
        (lists("nuxt"), Leaves::Server(plan::command(&["node", ".output/server/index.mjs"])), &["nuxt", "build"])
    };
    let mut framework = Framework { program: "nuxt", build, is_only_site: is_site, ..Framework::new("Nuxt", reason, leaves) };
    if is_site {
        framework.alternatives.clear();
    }
    framework
}

fn react_router(project: &Project<'_>) -> Framework {
    let config = config(project, "react-router.config", &["ts", "js", "mts", "mjs"]).unwrap_or_default();
    let is_site = config.contains("ssr:false") || !project.may_serve();
    let (reason, leaves) = if is_site {
        (format!("{} and its configuration sets ssr: false", lists("@react-router/dev")), Leaves::Site("build/client".to_owned()))
    } else {
        let start = plan::command(&["node_modules/.bin/react-router-serve", "build/server/index.js"]);
        (lists("@react-router/dev"), Leaves::Server(start))
    };
    Framework {
        program: "react-router",
        build: &["react-router", "build"],
        is_only_site: is_site,
        ..Framework::new("React Router", reason, leaves)
    }
}

/// Qwik builds pages only with an adapter, which is a second configuration of Vite.
fn qwik(project: &Project<'_>, package: &Package) -> Result<Option<Framework>, DetectError> {
    let adapters = project.tree.list("adapters");
    let has = |name: &str| adapters.iter().any(|entry| entry.name == name);
    let reason = || lists("@builder.io/qwik-city");
    if has("static") || has("ssg") {
        return Ok(Some(Framework {
            program: "qwik",
            is_only_site: true,
            ..Framework::new("Qwik", reason(), Leaves::Site("dist".to_owned()))
        }));
    }
    if package.script("serve").is_some() && !adapters.is_empty() {
        return Ok(Some(Framework {
            program: "qwik",
            ..Framework::new("Qwik", reason(), Leaves::Server(plan::command(&["npm", "run", "serve"])))
        }));
    }
    Err(DetectError::new(
        "ADAPTER_MISSING",
        "package.json lists Qwik without an adapter that says what its build leaves: add one with `npm run qwik add static` for a site of files or \
         `npm run qwik add fastify` for a server",
    ))
}

/// Returns true if Vite builds a site, rather than a library or nothing but tests.
fn is_vite_site(project: &Project<'_>, package: &Package) -> bool {
    let configured =
        || config(project, "vite.config", VITE_ENDINGS).is_some_and(|text| text.contains("root:") || text.contains("outDir:"));
    project.tree.exists("index.html") || package.script("build").is_some_and(|script| script.contains("vite")) || configured()
}

const VITE_ENDINGS: &[&str] = &["js", "ts", "mjs", "mts", "cjs"];

/// The directory that Vite's configuration names in plain words: relative to its root, which it may name, too.
fn vite_directory(project: &Project<'_>) -> Option<String> {
    let text = config(project, "vite.config", VITE_ENDINGS)?;
    let value = |key: &str| {
        let rest = text.split_once(key)?.1;
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
        rest[1..].split(quote).next().filter(|path| !path.starts_with('/'))
    };
    let directory = plan::join(value("root:").unwrap_or_default(), value("outDir:").unwrap_or("dist"));
    (!directory.is_empty() && !directory.starts_with("..")).then_some(directory)
}

/// A configuration file's text without spaces and comments at the start of lines.
fn config(project: &Project<'_>, name: &str, endings: &[&str]) -> Option<String> {
    let text = endings.iter().find_map(|ending| project.tree.read(&format!("{name}.{ending}")))?;
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    Some(lines.flat_map(|line| line.chars().filter(|c| !c.is_whitespace())).collect())
}
