//! Functions, each a file, and the site beside them.

use super::package::Package;
use super::{DetectError, Project, node, python};
use crate::build::BuildPlan;
use crate::manifest::Kind;
use crate::workload::{Function, FunctionSet, Runtime, StaticSite, WorkloadSpec};

/// Maximum depth at which directories of functions are searched.
const DEPTH: usize = 8;

/// A directory with functions. Where the project file does not say that there are some, a file counts only when it looks like
/// one: many a server has a directory of that name.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let section = project.manifest.functions.clone().unwrap_or_default();
    let directory = section.directory.as_deref().unwrap_or("functions").trim_start_matches("./").trim_end_matches('/').to_owned();
    let mut functions = Vec::new();
    collect(project, &directory, "", DEPTH, &mut functions);
    if functions.is_empty() {
        return Ok(None);
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
    let mut env = Vec::new();
    if functions.iter().any(|function| function.runtime == Runtime::Python) {
        let install = python::install(project)?.steps;
        if !install.is_empty() {
            env.push(("PYTHONPATH".to_owned(), python::PACKAGES.to_owned()));
        }
        steps.extend(install);
    }
    let set = FunctionSet {
        site: built.map(|site| StaticSite { root: site.output }).or_else(|| plain_site(project)),
        memory_mib: section.memory_mib.unwrap_or(256),
        timeout_seconds: section.timeout_seconds.unwrap_or(30),
        concurrency: section.concurrency.unwrap_or(16),
        env,
        functions,
    };
    Ok(Some(BuildPlan {
        framework: "Functions".to_owned(),
        reason: format!("there is {directory}/ with {}", count(&set)),
        steps,
        image: None,
        output: String::new(),
        workload: WorkloadSpec::Functions(set),
    }))
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

fn is_function(project: &Project<'_>, file: &str, runtime: Runtime) -> bool {
    let said = project.kind == Some(Kind::Function);
    said || project.tree.read(file).is_some_and(|text| match runtime {
        Runtime::Node => {
            let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
            let exports = |method: &str| {
                ["export function ", "export async function ", "export const "]
                    .iter()
                    .any(|export| text.contains(&format!("{export}{method}")))
            };
            text.contains("export default") || text.contains("as default") || methods.into_iter().any(exports)
        }
        Runtime::Python => text.lines().any(|line| line.starts_with("def handler(") || line.starts_with("async def handler(")),
    })
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
