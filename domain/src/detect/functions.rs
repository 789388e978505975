//! Functions, each a file, and the site beside them.

use super::package::Package;
use super::{DetectError, Project, Reading, Weight, node, plan, python};
use crate::build::BuildPlan;
use crate::manifest::Kind;
use crate::workload::{Function, FunctionSet, Runtime, StaticSite, WorkloadSpec};

/// Maximum depth at which directories of functions are searched.
const DEPTH: usize = 8;

/// A directory with functions. Where the project file does not say that there are some, a file counts only when it looks like
/// one: many a server has a directory of that name.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    if !matches!(project.kind, None | Some(Kind::Function)) {
        return Ok(None);
    }
    let section = project.manifest.functions.clone().unwrap_or_default();
    let directory = section.directory.as_deref().unwrap_or("functions").trim_start_matches("./").trim_end_matches('/').to_owned();
    let mut functions = Vec::new();
    collect(project, &directory, "", DEPTH, &mut functions);
    if functions.is_empty() {
        return Ok(None);
    }
    if let Some(function) =
        functions.iter().find(|function| function.runtime == Runtime::Node && is_of_pages(project, &function.file))
    {
        return Err(DetectError::new(
            "FUNCTION_UNKNOWN",
            format!(
                "`{}` exports functions by the names of another host (onRequest, onRequestGet, ...), which answer nothing here: export a default function \
                 that takes a Request and returns a Response, or functions named GET, POST, PUT, PATCH, DELETE",
                function.file.escape_debug()
            ),
        ));
    }
    functions.sort_by(|a, b| a.route.cmp(&b.route));
    if let Some(pair) = functions.windows(2).find(|pair| pair[0].route == pair[1].route) {
        let message = format!("`{}` and `{}` both answer {}: rename one of them", pair[0].file, pair[1].file, pair[0].route);
        return Err(DetectError::new("FUNCTION_TWICE", message));
    }
    let mut steps = Vec::new();
    let built = node::site(project)?;
    if let Some(site) = &built {
        steps.extend(site.steps.clone());
    } else if let Some(package) = Package::read(project)? {
        steps.extend(package.install(project));
    }
    let (mut env, mut files, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(site) = &built {
        notes.extend(site.notes.clone());
    }
    if functions.iter().any(|function| function.runtime == Runtime::Python) {
        let install = python::install(project)?;
        if !install.steps.is_empty() {
            env.push(("PYTHONPATH".to_owned(), python::PACKAGES.to_owned()));
        }
        steps.extend(install.steps);
        files.extend(install.files);
        notes.extend(install.notes);
    }
    let set = FunctionSet {
        site: built.as_ref().map(|site| StaticSite { root: site.output.clone() }).or_else(|| plain_site(project)),
        memory_mib: section.memory_mib.unwrap_or(256),
        timeout_seconds: section.timeout_seconds.unwrap_or(30),
        concurrency: section.concurrency.unwrap_or(16),
        env,
        functions,
    };
    let reason = format!("there is {directory}/ with {}", count(&set));
    let path = built.map(|site| site.path).unwrap_or_default();
    let workload = WorkloadSpec::Functions(set);
    let plan = BuildPlan { files, notes, path, workload, is_guess: false, ..plan::site("Functions", reason, steps, "") };
    Ok(Some(Reading::new(if project.kind.is_some() { Weight::Stated } else { Weight::Server }, plan)))
}

fn collect(project: &Project<'_>, directory: &str, route: &str, depth: usize, functions: &mut Vec<Function>) {
    for entry in project.tree.list(directory) {
        // Helpers and hidden files are no functions.
        if entry.name.starts_with(['_', '.']) || entry.name == "node_modules" {
            continue;
        }
        let file = format!("{directory}/{}", entry.name);
        if entry.is_directory {
            if depth > 0 {
                collect(project, &file, &format!("{route}/{}", entry.name), depth - 1, functions);
            }
            continue;
        }
        let Some((stem, ending)) = entry.name.rsplit_once('.') else { continue };
        let runtime = match ending {
            "js" | "mjs" => Runtime::Node,
            "py" => Runtime::Python,
            _ => continue,
        };
        if is_function(project, &file, runtime) {
            let route = match (stem, route) {
                ("index", "") => "/".to_owned(),
                ("index", route) => route.to_owned(),
                (stem, route) => format!("{route}/{stem}"),
            };
            functions.push(Function { route, file, runtime });
        }
    }
}

/// Names by which a module shows that it answers requests: methods of HTTP.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn is_function(project: &Project<'_>, file: &str, runtime: Runtime) -> bool {
    let said = project.kind == Some(Kind::Function);
    said || project.tree.read(file).is_some_and(|text| match runtime {
        Runtime::Node => {
            // Any module has a default export: one that answers requests speaks of them.
            let speaks = ["Request", "Response", "request", "(req"].iter().any(|word| text.contains(word));
            let has_default = text.contains("export default") || text.contains("as default");
            (has_default && speaks) || METHODS.iter().any(|method| exports(&text, method)) || is_of_pages(project, file)
        }
        Runtime::Python => text.lines().any(|line| line.starts_with("def handler(") || line.starts_with("async def handler(")),
    })
}

/// Returns true for a function as Cloudflare Pages has it (<https://developers.cloudflare.com/pages/functions/api-reference>).
fn is_of_pages(project: &Project<'_>, file: &str) -> bool {
    let text = project.tree.read(file).unwrap_or_default();
    exports(&text, "onRequest") && !text.contains("export default") && !METHODS.iter().any(|method| exports(&text, method))
}

/// Returns true if a module exports something whose name begins like this.
fn exports(text: &str, name: &str) -> bool {
    ["export function ", "export async function ", "export const "].iter().any(|export| text.contains(&format!("{export}{name}")))
}

fn plain_site(project: &Project<'_>) -> Option<StaticSite> {
    let places = [("public", "public"), ("index.html", "")];
    let (_, root) = places.into_iter().find(|(name, _)| project.tree.exists(name))?;
    Some(StaticSite { root: root.to_owned() })
}

fn count(set: &FunctionSet) -> String {
    match set.functions.len() {
        1 => "one function".to_owned(),
        several => format!("{several} functions"),
    }
}
