//! The scripts of package.json: which of them start a server, and which start a tool of development.

use super::package::Package;

/// Purpose of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// A development or preview server of a site, or nothing that answers requests.
    Tool,
    /// A server that is compiled, or watched for changes, as it runs.
    Watched,
    /// A server.
    Server,
}

/// Programs that are no servers of the project's own, with the first arguments that make them that; none for any.
const TOOLS: &[(&str, &[&str])] = &[
    ("ng", &["serve", "s", "build", "test"]),
    ("vite", &[]),
    ("vite-node", &["--watch"]),
    ("vitest", &[]),
    ("react-scripts", &[]),
    ("craco", &[]),
    ("vue-cli-service", &[]),
    ("gatsby", &[]),
    ("docusaurus", &[]),
    ("webpack", &[]),
    ("webpack-dev-server", &[]),
    ("serve", &[]),
    ("http-server", &[]),
    ("live-server", &[]),
    ("lite-server", &[]),
    ("browser-sync", &[]),
    ("sirv", &[]),
    ("astro", &[]),
    ("eleventy", &[]),
    ("@11ty/eleventy", &[]),
    ("hexo", &[]),
    ("hexo-cli", &[]),
    ("vitepress", &[]),
    ("vuepress", &[]),
    ("parcel", &[]),
    ("rsbuild", &[]),
    ("rspack", &[]),
    ("rspress", &[]),
    ("ember", &[]),
    ("stencil", &[]),
    ("snowpack", &[]),
    ("gulp", &[]),
    ("grunt", &[]),
    ("storybook", &[]),
    ("start-storybook", &[]),
    ("slidev", &[]),
    ("expo", &[]),
    ("react-native", &[]),
    ("electron", &[]),
    ("electron-forge", &[]),
    ("tauri", &[]),
    ("wrangler", &[]),
    ("netlify", &[]),
    ("vercel", &[]),
    ("firebase", &[]),
    ("ionic", &[]),
    ("quasar", &[]),
    ("umi", &[]),
    ("max", &[]),
    ("tsc", &[]),
    ("tsup", &[]),
    ("esbuild", &[]),
    ("rollup", &[]),
    ("sass", &[]),
    ("tailwindcss", &[]),
    ("jest", &[]),
    ("echo", &[]),
    ("exit", &[]),
    ("next", &["dev", "build", "lint", "export"]),
    ("nuxt", &["dev", "preview", "build", "generate"]),
    ("nuxi", &["dev", "preview", "build", "generate"]),
    ("remix", &["dev", "vite:dev", "build"]),
    ("react-router", &["dev", "build"]),
    ("svelte-kit", &[]),
    ("vinxi", &["dev", "build"]),
    ("qwik", &[]),
    ("turbo", &["dev", "run dev", "build", "lint"]),
    ("nx", &["serve", "dev", "build", "test"]),
    ("lerna", &[]),
];

/// Programs that run a server again at every change, or compile it first.
const WATCHERS: &[&str] =
    &["nodemon", "ts-node-dev", "tsnd", "nest", "concurrently", "npm-run-all", "run-p", "run-s", "onchange", "supervisor"];

/// Maximum number of scripts that call each other.
const DEPTH: usize = 5;

/// The script that starts the server: the one that does nothing else, else one that also compiles or watches.
pub(super) fn start(package: &Package) -> Option<&str> {
    let usual = ["start", "start:prod", "start:production", "serve:prod"].into_iter();
    // Angular gives its server this name.
    let rendered = package.scripts().filter(|name| name.starts_with("serve:ssr"));
    let known = usual.chain(rendered).filter_map(|name| Some((name, purpose(package, name)?)));
    let mut best: Option<(&str, Purpose)> = None;
    for (name, purpose) in known.filter(|(_, purpose)| *purpose != Purpose::Tool) {
        if best.is_none_or(|(_, found)| purpose > found) {
            best = Some((name, purpose));
        }
    }
    best.map(|(name, _)| name)
}

/// The purpose of a script; `None` if there is none of that name.
pub(super) fn purpose(package: &Package, name: &str) -> Option<Purpose> {
    Some(of_line(package, package.script(name)?, DEPTH))
}

/// The purpose of a line: that of the last of its commands.
fn of_line(package: &Package, line: &str, depth: usize) -> Purpose {
    let last = line.rsplit(['&', ';', '|']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let mut words = last.split_whitespace().skip_while(|word| word.contains('=') || is_wrapper(word));
    let program = words.next().unwrap_or_default();
    let program = program.trim_start_matches("./").trim_start_matches("node_modules/.bin/");
    let rest: Vec<&str> = words.collect();
    match (program, rest.as_slice()) {
        ("npm" | "pnpm" | "yarn" | "bun", ["run" | "run-script", script, ..]) | ("yarn" | "pnpm", [script, ..])
            if depth > 0 && package.script(script).is_some() =>
        {
            return of_line(package, package.script(script).unwrap_or_default(), depth - 1);
        }
        _ => {}
    }
    let is_tool = TOOLS.iter().any(|(tool, arguments)| {
        program == *tool
            && (arguments.is_empty()
                || arguments.iter().any(|argument| rest.join(" ").starts_with(argument))
                || (rest.is_empty() && *tool == "next"))
    });
    let watches = WATCHERS.contains(&program) || rest.iter().any(|word| matches!(*word, "watch" | "--watch" | "--hot"));
    match (is_tool, watches) {
        (true, _) => Purpose::Tool,
        (false, true) => Purpose::Watched,
        (false, false) => Purpose::Server,
    }
}

/// Returns true for programs that only start another one.
fn is_wrapper(word: &str) -> bool {
    matches!(word, "npx" | "cross-env" | "cross-env-shell" | "env-cmd" | "dotenv" | "exec" | "bunx" | "--" | "--yes" | "-y")
}
