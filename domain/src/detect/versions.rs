//! Versions of languages that projects ask for.

use nodejs_semver::{Range, Version};
use serde_json::Value;

use super::SourceTree;

/// Node, as far as a project asks for another version than the machine's.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The package that has the version, as npm names it.
    pub package: Option<String>,
    /// A remark on the version.
    pub note: Option<String>,
}

/// Names of Node's long-term versions (<https://github.com/nodejs/Release>).
const LONG_TERM: &[(&str, &str)] =
    &[("gallium", "16"), ("hydrogen", "18"), ("iron", "20"), ("jod", "22"), ("krypton", "24"), ("*", "24"), ("", "24")];

/// The first major version that is offered for a range that the machine's version is not in, and the last.
const OFFERED: std::ops::RangeInclusive<u64> = 18..=40;

/// The version that package.json or a version file asks for.
pub(super) fn node(tree: &dyn SourceTree, package: &Value) -> Node {
    let Some((file, wanted)) = wanted_node(tree, package) else { return Node::default() };
    let Some(present) = tree.version("node").and_then(|version| Version::parse(version).ok()) else { return Node::default() };
    let Ok(range) = Range::parse(&wanted) else {
        return Node {
            package: None,
            note: Some(format!("{file} asks for Node `{}`, which is no version: Node {present} is used", wanted.escape_debug())),
        };
    };
    if range.satisfies(&present) {
        return Node::default();
    }
    let newest = |major: u64| Version::from((major, u64::from(u32::MAX), u64::from(u32::MAX)));
    // Even majors are the ones that are kept up for long.
    let mut majors = OFFERED.step_by(2).chain(OFFERED.skip(1).step_by(2));
    let asked = format!("{file} asks for Node {wanted}, and this machine has {present}");
    match majors.find(|major| range.satisfies(&newest(*major))) {
        Some(major) => Node {
            package: Some(format!("node@{major}")),
            note: Some(format!("{asked}: Node {major} is installed for this project")),
        },
        // An exact version, or one within a minor version.
        None if tree.has_program("npm") => Node {
            package: Some(format!("node@{}", wanted.trim_start_matches('v'))),
            note: Some(format!("{asked}: that version is installed for this project")),
        },
        None => Node { package: None, note: Some(format!("{asked}, which is used all the same")) },
    }
}

/// The file that asks for a version, and the range as npm writes it.
fn wanted_node(tree: &dyn SourceTree, package: &Value) -> Option<(&'static str, String)> {
    for file in [".nvmrc", ".node-version"] {
        if let Some(line) = tree.read(file).and_then(|text| {
            text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
        }) {
            return named(&line).map(|range| (file, range));
        }
    }
    if let Some(version) = tool_version(tree, &["nodejs", "node"]) {
        return named(&version).map(|range| (".tool-versions", range));
    }
    let range = package["engines"]["node"].as_str().map(str::trim).filter(|range| !range.is_empty())?;
    Some(("package.json (engines)", range.to_owned()))
}

/// A version as version managers write it; `None` for the newest.
fn named(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('v');
    if matches!(text, "node" | "stable" | "latest" | "current") {
        return None;
    }
    match text.strip_prefix("lts").map(|name| name.trim_start_matches(['/', '-']).to_ascii_lowercase()) {
        Some(name) => LONG_TERM.iter().find(|(known, _)| *known == name).map(|(_, major)| (*major).to_owned()),
        None => Some(text.to_owned()),
    }
}

/// The version of a tool in asdf's file.
fn tool_version(tree: &dyn SourceTree, names: &[&str]) -> Option<String> {
    let text = tree.read(".tool-versions")?;
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        names.contains(&words.next()?).then(|| words.next().map(str::to_owned))?
    })
}

/// The Python that a project asks for: the program to use, and a remark where the machine does not have it.
pub(super) fn python(tree: &dyn SourceTree, requires: Option<&str>) -> (String, Option<String>) {
    let usual = "python3".to_owned();
    let first =
        |text: String| text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned);
    let named = tree
        .read(".python-version")
        .and_then(first)
        .map(|version| (".python-version", version))
        .or_else(|| Some(("runtime.txt", tree.read("runtime.txt").and_then(first)?)))
        .or_else(|| Some((".tool-versions", tool_version(tree, &["python"])?)));
    let Some(present) = tree.version("python3") else { return (usual, None) };
    if let Some((file, version)) = named {
        let version = version.trim_start_matches("python-").to_owned();
        let minor: Vec<&str> = version.split('.').take(2).collect();
        let minor = minor.join(".");
        if minor.is_empty()
            || !minor.chars().all(|c| c.is_ascii_digit() || c == '.')
            || present == minor
            || present.starts_with(&format!("{minor}."))
        {
            return (usual, None);
        }
        let program = format!("python{minor}");
        return match tree.version(&program) {
            Some(_) => (program, None),
            None => {
                (usual, Some(format!("{file} asks for Python {minor}, which is not on this machine: Python {present} is used")))
            }
        };
    }
    let misses = requires.filter(|requires| {
        let specifiers: Result<pep440_rs::VersionSpecifiers, _> = requires.parse();
        let version: Result<pep440_rs::Version, _> = present.parse();
        matches!((specifiers, version), (Ok(specifiers), Ok(version)) if !specifiers.contains(&version))
    });
    let note = misses.map(|requires| {
        format!("pyproject.toml asks for Python {requires}, and this machine has {present}, which is used all the same")
    });
    (usual, note)
}
