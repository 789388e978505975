//! Location of a build's result, among what the build made.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use clouds_contract::{CloudError, ErrorKind};
use domain::build::BuildPlan;
use domain::workload::WorkloadSpec;
use walkdir::{DirEntry, WalkDir};

use super::failure;

/// Maximum depth at which a page is searched for, and the name by which one is recognised.
const DEPTH: usize = 6;
const PAGE: &str = "index.html";

/// Directories of results whose names begin with a dot; others of that kind are tools' own.
const HIDDEN_RESULTS: &[&str] = &[".output", ".vitepress", ".vuepress", ".mikrocloud", ".next", ".svelte-kit"];

/// Maximum number of directories that a message names.
const NAMED: usize = 8;

const REMEDY: &str = "name the directory of the result with [build] output in mikrocloud.toml";

/// Result of a build.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    pub output: PathBuf,
    pub workload: WorkloadSpec,
    /// A remark where it is not what was expected.
    pub note: Option<String>,
}

/// Pages and evidence that were there before the build, with their times: what is still the same then, the build did not make.
pub(super) struct Before(HashMap<PathBuf, SystemTime>);

impl Before {
    /// Looks at the source.
    pub fn of(directory: &Path, plan: &BuildPlan) -> Self {
        let evidence = plan.alternatives.iter().map(|alternative| directory.join(&alternative.evidence));
        let pages = if plan.is_guess { pages(directory) } else { Vec::new() };
        Self(evidence.chain(pages).filter_map(|path| Some((path.clone(), changed(&path)?))).collect())
    }

    fn made(&self, path: &Path) -> bool {
        changed(path).is_some_and(|time| self.0.get(path) != Some(&time))
    }
}

/// The result: inside the project's directory even when links are followed.
pub(super) fn find(directory: &Path, plan: &BuildPlan, before: &Before) -> Result<Found, CloudError> {
    let alternative = plan.alternatives.iter().find(|alternative| before.made(&directory.join(&alternative.evidence)));
    if let Some(alternative) = alternative {
        let note = format!(
            "the build left {}: {} is what is deployed",
            alternative.evidence,
            described(&alternative.output, &alternative.workload)
        );
        return Ok(Found {
            output: inside(directory, &alternative.output)?,
            workload: alternative.workload.clone(),
            note: Some(note),
        });
    }
    let found = |output: &str, note| Ok(Found { output: inside(directory, output)?, workload: plan.workload.clone(), note });
    if !plan.is_guess {
        return found(&plan.output, None);
    }
    let mut made: Vec<String> =
        pages(directory).into_iter().filter(|page| before.made(page)).filter_map(|page| parent(directory, &page)).collect();
    // The outermost first, and of equal ones those where they were expected.
    let is_expected = |path: &String| Path::new(path).starts_with(&plan.output);
    made.sort_by_key(|path| (!is_expected(path), path.split('/').filter(|part| !part.is_empty()).count(), path.clone()));
    match made.as_slice() {
        [first, ..] if *first == plan.output => found(first, None),
        [first, rest @ ..] => {
            let beside = rest.iter().find(|other| !is_expected(first) && !Path::new(other).starts_with(first));
            if let Some(other) = beside {
                let message = format!("the build left pages in `{first}` and in `{other}`: {REMEDY}");
                return Err(failure(ErrorKind::Invalid, "OUTPUT_UNKNOWN", message));
            }
            found(first, Some(format!("the build left its pages in {}", shown(first))))
        }
        [] if !is_directory(directory, &plan.output) && directory.join(PAGE).is_file() => {
            found("", Some(format!("the build left no directory `{}`: the project's own {PAGE} is the site", plan.output)))
        }
        [] => found(&plan.output, None),
    }
}

fn described(output: &str, workload: &WorkloadSpec) -> String {
    match workload {
        WorkloadSpec::Static(_) => format!("the site in {}", shown(output)),
        other => format!("a {}", other.kind()),
    }
}

fn shown(output: &str) -> String {
    if output.is_empty() { "the project's directory".to_owned() } else { format!("{output}/") }
}

fn is_directory(root: &Path, output: &str) -> bool {
    !output.is_empty() && root.join(output).is_dir()
}

/// The pages of a tree.
fn pages(directory: &Path) -> Vec<PathBuf> {
    let is_result = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || (name != "node_modules" && (!name.starts_with('.') || HIDDEN_RESULTS.contains(&name.as_ref())))
    };
    let entries = WalkDir::new(directory).max_depth(DEPTH).into_iter().filter_entry(is_result).filter_map(Result::ok);
    entries.filter(|entry| entry.file_name() == PAGE && entry.file_type().is_file()).map(DirEntry::into_path).collect()
}

fn parent(root: &Path, page: &Path) -> Option<String> {
    let path = page.parent()?.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> =
        path.components().map(|part| if let Component::Normal(name) = part { name.to_str() } else { None }).collect();
    Some(parts?.join("/"))
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// A directory of the project.
fn inside(directory: &Path, output: &str) -> Result<PathBuf, CloudError> {
    let root = directory.canonicalize().map_err(|error| CloudError::internal("the build's directory is gone", error))?;
    let missing = |message: String| Err(failure(ErrorKind::Invalid, "OUTPUT_MISSING", message));
    match root.join(output).canonicalize() {
        Ok(found) if !found.starts_with(&root) => missing(format!("the output `{output}` leads out of the project: {REMEDY}")),
        Ok(found) if found.is_dir() => Ok(found),
        Ok(_) => missing(format!("the output `{output}` is a file and no directory: {REMEDY}")),
        Err(_) => match ignored(&root, output) {
            Some(line) => missing(format!(
                "there is no directory `{output}`, which .gitignore line {line} leaves out of what is deployed: take it out of there, let the build make \
                 it, or deploy that directory itself"
            )),
            None => missing(format!("the build left no directory `{output}`{}: {REMEDY}", others(&root))),
        },
    }
}

/// The line of .gitignore that leaves a directory out.
fn ignored(root: &Path, output: &str) -> Option<usize> {
    let text = std::fs::read_to_string(root.join(".gitignore")).ok()?;
    let first = output.split('/').next()?;
    let line = text.lines().position(|line| {
        let pattern = line.trim().trim_start_matches("**/").trim_matches('/').trim_end_matches("/*");
        !pattern.is_empty() && (pattern == first || pattern == output)
    })?;
    Some(line + 1)
}

/// The directories that are there, to choose from.
fn others(root: &Path) -> String {
    let entries = std::fs::read_dir(root).into_iter().flatten().filter_map(Result::ok);
    let is_result = |name: &String| !name.starts_with('.') || (HIDDEN_RESULTS.contains(&name.as_str()) && name != ".mikrocloud");
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_result(name) && name != "node_modules" && !name.contains(char::is_control))
        .collect();
    names.sort();
    names.truncate(NAMED);
    if names.is_empty() { String::new() } else { format!(" (there are: {})", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use domain::build::Alternative;
    use domain::workload::StaticSite;

    use super::*;

    fn plan(output: &str, is_guess: bool) -> BuildPlan {
        BuildPlan {
            framework: String::new(),
            reason: String::new(),
            notes: Vec::new(),
            files: Vec::new(),
            path: Vec::new(),
            steps: Vec::new(),
            image: None,
            output: output.to_owned(),
            is_guess,
            workload: WorkloadSpec::Static(StaticSite::default()),
            alternatives: Vec::new(),
        }
    }

    fn write(root: &Path, files: &[&str]) {
        for file in files {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), *file).unwrap();
        }
    }

    /// The directory that is chosen when these files are there before the build, and those after it.
    fn chosen(plan: &BuildPlan, before: &[&str], made: &[&str]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        write(&root, before);
        let seen = Before::of(&root, plan);
        write(&root, made);
        match find(&root, plan, &seen) {
            Ok(found) => found.output.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
            Err(error) => format!("{}: {}", error.code, error.message),
        }
    }

    #[test]
    fn the_output_is_a_directory_inside() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("public/site")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        std::fs::write(root.join(".gitignore"), "# made\n/www/\n").unwrap();
        std::os::unix::fs::symlink("/etc", root.join("leak")).unwrap();
        std::os::unix::fs::symlink("public/site", root.join("dist")).unwrap();
        assert_eq!(inside(&root, "").unwrap(), root);
        assert_eq!(inside(&root, "dist").unwrap(), root.join("public/site"));
        let message = |output: &str| inside(&root, output).unwrap_err().message;
        insta::assert_snapshot!(message("build"), @"the build left no directory `build` (there are: public): name the directory of the result with [build] output in mikrocloud.toml");
        insta::assert_snapshot!(message("leak"), @"the output `leak` leads out of the project: name the directory of the result with [build] output in mikrocloud.toml");
        insta::assert_snapshot!(message("file"), @"the output `file` is a file and no directory: name the directory of the result with [build] output in mikrocloud.toml");
        insta::assert_snapshot!(message("../x"), @"the build left no directory `../x` (there are: public): name the directory of the result with [build] output in mikrocloud.toml");
        insta::assert_snapshot!(message("www"), @"there is no directory `www`, which .gitignore line 2 leaves out of what is deployed: take it out of there, let the build make it, or deploy that directory itself");
    }

    #[test]
    fn a_guess_is_decided_by_the_pages_that_the_build_made() {
        let dist = plan("dist", true);
        assert_eq!(chosen(&dist, &[], &["dist/index.html", "dist/blog/index.html"]), "dist");
        assert_eq!(
            chosen(&dist, &[], &["dist/shop/browser/index.html", "public/index.html"]),
            "dist/shop/browser",
            "where it was expected"
        );
        assert_eq!(chosen(&dist, &["themes/x/index.html"], &["public/index.html", "public/2024/index.html"]), "public");
        assert_eq!(chosen(&dist, &[], &["docs/.vitepress/dist/index.html"]), "docs/.vitepress/dist");
        assert_eq!(chosen(&dist, &["index.html"], &["style.css"]), "", "the project's own page");
        assert_eq!(chosen(&dist, &["index.html"], &["dist/app.js"]), "dist", "where the build was expected to write");
        assert_eq!(chosen(&dist, &["old/index.html"], &["dist/404.html"]), "dist");
        assert_eq!(
            chosen(&dist, &[], &["node_modules/x/index.html", ".cache/index.html", ".output/x"]),
            "OUTPUT_MISSING: the build left no directory `dist` (there are: .output): name the directory of the result with [build] output in \
             mikrocloud.toml"
        );
        assert_eq!(
            chosen(&dist, &[], &["a/index.html", "b/index.html"]),
            "OUTPUT_UNKNOWN: the build left pages in `a` and in `b`: name the directory of the result with [build] output in mikrocloud.toml"
        );
        assert_eq!(chosen(&plan("site", false), &["site/x"], &["dist/index.html"]), "site", "what is named is no guess");
    }

    #[test]
    fn an_alternative_counts_once_the_build_made_its_evidence() {
        let alternative = Alternative {
            evidence: "out/index.html".to_owned(),
            output: "out".to_owned(),
            workload: WorkloadSpec::Static(StaticSite::default()),
        };
        let plan = BuildPlan { alternatives: vec![alternative], ..plan("", false) };
        assert_eq!(chosen(&plan, &[], &["out/index.html"]), "out");
        assert_eq!(chosen(&plan, &["out/index.html"], &[]), "");
    }
}
